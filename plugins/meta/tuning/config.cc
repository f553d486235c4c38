// config.cc: the tuning plugin's configuration.
#include "plugins/meta/tuning/config.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include <fmt/format.h>

#include "common/base/error.h"
#include "plugins/cni/requested_mac.h"

namespace cnm::tuning {
namespace {

using cni::MacSource;
using json::Object;

/// IPv4's least, and that of lo: the widest range any link has. A link's own is the kernel's to
/// judge.
constexpr json::Between kMtu = {68, 65536};

Sysctl DecodeSysctl(const Object& object, const std::string& key, std::string_view ifname) {
  std::string value;
  object.Optional(key, value);
  if (value.empty()) object.Fail(key, "want a value");
  std::string where = fmt::format("{}[{:?}]", object.path(), key);
  try {
    return {key, where, SysctlName::Parse(key, ifname), std::move(value)};
  } catch (Error& e) {
    e.AddDetail(where);
    throw;
  }
}

/// The sysctls of one object, none twice: what is set twice says nothing about what it shall be.
std::vector<Sysctl> DecodeSysctls(const Object& object, std::string_view ifname) {
  constexpr std::string_view kDuplicated = "duplicated sysctl keys are not allowed";
  const std::vector<std::string> repeated = object.RepeatedKeys();
  if (!repeated.empty()) {
    throw Error(Code::kConfig, std::string(kDuplicated),
                fmt::format("{}[{:?}]", object.path(), repeated[0]));
  }
  std::vector<Sysctl> sysctls;
  for (const std::string& key : object.Keys()) {
    Sysctl sysctl = DecodeSysctl(object, key, ifname);
    for (const Sysctl& other : sysctls) {
      if (other.name != sysctl.name) continue;
      throw Error(Code::kConfig, std::string(kDuplicated),
                  fmt::format("{} and {} are the same", other.where, sysctl.where));
    }
    sysctls.push_back(std::move(sysctl));
  }
  return sysctls;
}

/// Reads the keys that the plugin's own object and args.cni share into `config`, over what is
/// there.
void DecodeShared(const Object& object, std::string_view ifname, Config& config) {
  if (const auto given = object.OptionalObject("sysctl")) {
    for (Sysctl& sysctl : DecodeSysctls(*given, ifname)) {
      std::erase_if(config.sysctls, [&](const Sysctl& s) { return s.name == sysctl.name; });
      config.sysctls.push_back(std::move(sysctl));
    }
  }
  netlink::LinkChange& link = config.link;
  bool flag = false;
  if (object.Optional("promisc", flag))
    link.promiscuous = flag ? std::optional(true) : std::nullopt;
  if (object.Optional("allmulti", flag)) link.all_multicast = flag;
  uint32_t number = 0;
  if (object.Optional("mtu", number)) {
    if (number != 0) object.Optional("mtu", number, kMtu);
    link.mtu = number != 0 ? std::optional(number) : std::nullopt;
  }
  if (object.Optional("txQLen", number, {0, INT32_MAX})) link.tx_queue_length = number;
}

}  // namespace

std::string DecodeDataDir(const Object& conf) {
  std::string directory = Config().data_dir;
  std::string given;
  if (!conf.Optional("dataDir", given) || given.empty()) return directory;
  if (given[0] != '/' || given.find('\0') != given.npos) {
    conf.Fail("dataDir", "want an absolute path");
  }
  return given;
}

Config DecodeConfig(const Object& conf, std::string_view cni_args, std::string_view ifname) {
  Config config;
  config.data_dir = DecodeDataDir(conf);
  DecodeShared(conf, ifname, config);
  if (const auto args = conf.OptionalObject("args")) {
    if (const auto cni = args->OptionalObject("cni")) DecodeShared(*cni, ifname, config);
  }
  config.link.mac = cni::RequestedMac(
      conf, cni_args,
      {MacSource::kConfig, MacSource::kCniArgs, MacSource::kRuntime, MacSource::kArgs});
  return config;
}

}  // namespace cnm::tuning
