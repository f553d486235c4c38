// config.cc: the bridge plugin's configuration.
#include "plugins/main/bridge/config.h"

#include "common/base/error.h"
#include "plugins/cni/open_controller.h"
#include "plugins/cni/requested_mac.h"
#include "plugins/cni/result.h"

namespace cnm::bridge {
namespace {

using cni::MacSource;

/// An empty list counts as given, as in the reference (BR-13).
std::optional<DnsSettings> GivenDns(const json::Object& conf) {
  const auto dns = conf.OptionalObject("dns");
  if (!dns) return std::nullopt;
  DnsSettings settings = cni::DecodeDns(*dns);
  const bool given = dns->Has("nameservers") || dns->Has("search") || dns->Has("options") ||
                     !settings.domain.empty();
  if (!given) return std::nullopt;
  return settings;
}

}  // namespace

Config DecodeConfig(const json::Object& conf, std::string_view cni_args) {
  Config config;
  config.options = Decode(conf);
  config.ipam_type = cni::IpamType(conf);
  config.dns = GivenDns(conf);
  config.mac = cni::RequestedMac(conf, cni_args,
                                 {MacSource::kCniArgs, MacSource::kArgs, MacSource::kRuntime});
  if (config.options.disable_container_interface && !config.ipam_type.empty()) {
    throw Error(Code::kConfig, "cannot use IPAM when DisableContainerInterface flag is set",
                "$.disableContainerInterface, $.ipam: leave one out");
  }
  return config;
}

}  // namespace cnm::bridge
