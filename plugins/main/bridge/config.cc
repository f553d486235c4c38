// config.cc: the bridge plugin's configuration.
#include "plugins/main/bridge/config.h"

#include <fmt/format.h>

#include "common/base/error.h"
#include "plugins/cni/args.h"
#include "plugins/cni/open_controller.h"
#include "plugins/cni/result.h"

namespace cnm::bridge {
namespace {

net::Mac ParseMac(std::string_view text, std::string_view where) {
  const std::optional<net::Mac> mac = net::Mac::Parse(text);
  if (!mac || mac->IsMulticast() || *mac == net::Mac{}) {
    throw Error(Code::kConfig, fmt::format("invalid MAC address \"{}\"", text),
                fmt::format("{}: want a unicast address like 02:00:5e:10:00:01", where));
  }
  return *mac;
}

std::optional<net::Mac> RequestedMac(const json::Object& conf, std::string_view cni_args) {
  std::string text;
  std::string where;
  if (const auto mac = cni::Args::Parse(cni_args, {"MAC"}).Find("MAC")) {
    text = *mac;
    where = "CNI_ARGS MAC";
  }
  if (const auto args = conf.OptionalObject("args")) {
    if (const auto cni = args->OptionalObject("cni")) {
      if (cni->Optional("mac", text)) where = cni->path() + ".mac";
    }
  }
  if (const auto runtime = conf.OptionalObject("runtimeConfig")) {
    std::string mac;
    if (runtime->Optional("mac", mac) && !mac.empty()) {
      text = mac;
      where = runtime->path() + ".mac";
    }
  }
  if (text.empty()) return std::nullopt;
  return ParseMac(text, where);
}

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
  config.mac = RequestedMac(conf, cni_args);
  if (config.options.disable_container_interface && !config.ipam_type.empty()) {
    throw Error(Code::kConfig, "cannot use IPAM when DisableContainerInterface flag is set",
                "$.disableContainerInterface, $.ipam: leave one out");
  }
  return config;
}

}  // namespace cnm::bridge
