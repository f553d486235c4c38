// requested_mac.cc: the MAC address that a call asks for.
#include "plugins/cni/requested_mac.h"

#include <string>

#include <fmt/format.h>

#include "common/base/error.h"
#include "plugins/cni/args.h"

namespace cnm::cni {
namespace {

/// A text and where it stands.
struct Given {
  std::string text;
  std::string where;
};

Given InObject(const std::optional<json::Object>& object) {
  Given given;
  if (object && object->Optional("mac", given.text)) given.where = object->path() + ".mac";
  return given;
}

Given In(MacSource source, const json::Object& conf, std::string_view cni_args) {
  switch (source) {
    case MacSource::kConfig:
      return InObject(conf);
    case MacSource::kCniArgs:
      return {std::string(Args::Parse(cni_args, {"MAC"}).Find("MAC").value_or("")), "CNI_ARGS MAC"};
    case MacSource::kArgs:
      if (const auto args = conf.OptionalObject("args"))
        return InObject(args->OptionalObject("cni"));
      return {};
    case MacSource::kRuntime:
      return InObject(conf.OptionalObject("runtimeConfig"));
  }
  return {};
}

}  // namespace

std::optional<net::Mac> RequestedMac(const json::Object& conf, std::string_view cni_args,
                                     std::initializer_list<MacSource> sources) {
  Given last;
  for (const MacSource source : sources) {
    Given given = In(source, conf, cni_args);
    if (!given.text.empty()) last = std::move(given);
  }
  if (last.text.empty()) return std::nullopt;
  const std::optional<net::Mac> mac = net::Mac::Parse(last.text);
  if (!mac || mac->IsMulticast() || *mac == net::Mac{}) {
    throw Error(Code::kConfig,
                fmt::format("invalid args {} for MAC addr: invalid MAC address", last.text),
                fmt::format("{}: want a unicast address like 02:00:5e:10:00:01", last.where));
  }
  return mac;
}

}  // namespace cnm::cni
