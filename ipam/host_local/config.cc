// config.cc: host-local's part of a network configuration, decoded and validated.
#include "ipam/host_local/config.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"
#include "ipam/host_local/range_decode.h"

namespace cnm::host_local {
namespace {

/// A limit far above any use, so that no configuration can cost quadratic time.
void CheckCount(size_t count, std::string_view what) {
  constexpr size_t kMost = 1024;
  if (count <= kMost) return;
  throw Error(Code::kConfig, fmt::format("{} {} are too many, at most {}", count, what, kMost),
              "$.ipam");
}

net::Address ParseRequested(const std::string& text, std::string path) {
  // A prefix length is allowed and ignored, as everywhere in the reference.
  std::optional<net::Address> address;
  if (text.find('/') == std::string::npos) {
    address = net::Address::Parse(text);
  } else if (const auto prefix = net::Prefix::Parse(text)) {
    address = prefix->address;
  }
  if (!address) {
    throw Error(Code::kConfig, fmt::format("cannot understand ip: {}", text), std::move(path));
  }
  return *address;
}

void AddRequested(std::span<const std::string> texts, const std::string& path, Config& config) {
  CheckCount(texts.size(), "requested IPs");
  for (size_t i = 0; i < texts.size(); ++i) {
    const net::Address address = ParseRequested(texts[i], fmt::format("{}[{}]", path, i));
    if (std::ranges::find(config.requested, address) == config.requested.end()) {
      config.requested.push_back(address);
    }
  }
}

void DecodeRequested(const json::Object& conf, std::span<const std::string> args_ips,
                     Config& config) {
  AddRequested(args_ips, "CNI_ARGS IP", config);
  std::vector<std::string> texts;
  if (const auto args = conf.OptionalObject("args")) {
    const auto cni = args->OptionalObject("cni");
    if (cni && cni->Optional("ips", texts)) AddRequested(texts, "$.args.cni.ips", config);
  }
  if (const auto runtime = conf.OptionalObject("runtimeConfig")) {
    if (runtime->Optional("ips", texts)) AddRequested(texts, "$.runtimeConfig.ips", config);
  }
}

Route DecodeRoute(const json::Object& o) {
  Route route;
  std::string text;
  o.Required("dst", text);
  const auto destination = net::Prefix::Parse(text);
  if (!destination) {
    throw Error(Code::kConfig, fmt::format("invalid CIDR address: {}", text), o.path() + ".dst");
  }
  route.destination = *destination;
  if (o.Optional("gw", text) && !text.empty()) {
    route.gateway = net::Address::Parse(text);
    if (!route.gateway) {
      throw Error(Code::kConfig, fmt::format("invalid IP address: {}", text), o.path() + ".gw");
    }
  }
  o.Optional("mtu", route.mtu);
  o.Optional("advmss", route.advmss);
  o.Optional("priority", route.priority);
  uint32_t number = 0;
  if (o.Optional("table", number)) route.table = number;
  if (o.Optional("scope", number, json::Between{0, 255})) {
    route.scope = static_cast<uint8_t>(number);
  }
  return route;
}

void CheckFamilies(const json::Object& conf, const std::vector<RangeSet>& sets) {
  std::string version;
  conf.Optional("cniVersion", version);
  constexpr std::array<std::string_view, 3> kOnePerFamily = {"", "0.1.0", "0.2.0"};
  if (std::ranges::find(kOnePerFamily, version) == kOnePerFamily.end()) return;
  const auto v4 = std::ranges::count_if(
      sets, [](const RangeSet& set) { return set.ranges.front().first.is_v4(); });
  const auto v6 = std::ssize(sets) - v4;
  if (v4 <= 1 && v6 <= 1) return;
  throw Error(Code::kConfig,
              fmt::format("CNI version {} does not support more than 1 address per family",
                          version.empty() ? "0.1.0" : version),
              "$.cniVersion");
}

/// Gives each set the exclusions that touch it.
void Exclude(std::span<const Span> excluded, Config& config) {
  for (const Span& span : excluded) {
    bool used = false;
    for (RangeSet& set : config.range_sets) {
      const bool touches = std::ranges::any_of(set.ranges, [&](const Range& range) {
        return range.first <= span.last && span.first <= range.last;
      });
      if (touches) set.excluded.push_back(span);
      used = used || touches;
    }
    if (!used) {
      config.warnings.push_back(
          fmt::format("$.ipam.exclude: {} is in no range", span.first.ToString()));
    }
  }
}

void CheckCounts(const std::vector<RawRangeSet>& sets, size_t excluded) {
  size_t ranges = 0;
  for (const RawRangeSet& set : sets) {
    ranges += set.size();
    for (const RawRange& range : set) excluded += range.excluded.size();
  }
  CheckCount(std::max(ranges, sets.size()), "ranges");
  CheckCount(excluded, "exclusions");
}

void DecodeRangeSets(const json::Object& conf, const json::Object& ipam, Config& config) {
  std::vector<RawRangeSet> raw;
  if (const auto runtime = conf.OptionalObject("runtimeConfig")) {
    raw = DecodeRawRangeSets(*runtime, "ipRanges", config.warnings);
  }
  RawRange single = DecodeRawRange(ipam);
  const std::vector<Span> excluded = std::exchange(single.excluded, {});  // is for all ranges
  if (single.subnet) {
    raw.push_back({std::move(single)});
  } else if (single.first || single.last || single.gateway) {
    config.warnings.emplace_back(
        "$.ipam: rangeStart, rangeEnd and gateway have no effect without subnet");
  }
  for (RawRangeSet& set : DecodeRawRangeSets(ipam, "ranges", config.warnings)) {
    raw.push_back(std::move(set));
  }
  if (raw.empty()) throw Error(Code::kConfig, "no IP ranges specified", "$.ipam.ranges");
  CheckCounts(raw, excluded.size());
  config.range_sets = ValidateRangeSets(raw);
  CheckFamilies(conf, config.range_sets);
  CheckSetsDisjoint(config.range_sets);
  Exclude(excluded, config);
}

}  // namespace

Config DecodeConfig(const json::Object& conf, std::span<const std::string> args_ips) {
  Config config;
  conf.Required("name", config.network);
  const std::optional<json::Object> ipam = conf.OptionalObject("ipam");
  if (!ipam) throw Error(Code::kConfig, "IPAM config missing 'ipam' key", "$.ipam");
  ipam->Ignore("type");
  ipam->Ignore("name");
  ipam->Optional("resolvConf", config.resolv_conf);
  std::string data_dir;
  if (ipam->Optional("dataDir", data_dir) && !data_dir.empty()) config.data_dir = data_dir;
  DecodeRequested(conf, args_ips, config);
  for (const json::Object& route : ipam->Objects("routes")) {
    config.routes.push_back(DecodeRoute(route));
    std::ranges::move(route.Warnings(), std::back_inserter(config.warnings));
  }
  DecodeRangeSets(conf, *ipam, config);
  std::ranges::move(ipam->Warnings(), std::back_inserter(config.warnings));
  return config;
}

std::string DecodeDataDir(const json::Object& conf) noexcept {
  std::string data_dir;
  try {
    const auto ipam = conf.OptionalObject("ipam");
    if (ipam) ipam->Optional("dataDir", data_dir);
  } catch (const Error&) {  // DEL goes on with what it can know
    data_dir.clear();
  }
  return data_dir.empty() ? kDefaultDataDir : data_dir;
}

}  // namespace cnm::host_local
