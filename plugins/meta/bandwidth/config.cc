// config.cc: the bandwidth plugin's configuration.
#include "plugins/meta/bandwidth/config.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "common/base/error.h"
#include "plugins/meta/bandwidth/token_bucket.h"

namespace cnm::bandwidth {
namespace {

/// What a direction's two keys are called.
struct Keys {
  std::string_view rate;
  std::string_view burst;
};
constexpr Keys kIngress{"ingressRate", "ingressBurst"};
constexpr Keys kEgress{"egressRate", "egressBurst"};

[[noreturn]] void Fail(const json::Object& o, std::string_view key, std::string_view words) {
  throw Error(Code::kConfig, std::string(words), fmt::format("{}.{}", o.path(), key));
}

/// What the kernel would refuse with a mere "invalid argument".
void CheckExpressible(const json::Object& o, const Keys& keys, const Limit& limit) {
  if (limit.rate < 8) {
    o.Fail(keys.rate, fmt::format("{} bits/s is less than a byte a second", limit.rate));
  }
  if (limit.burst < 8) o.Fail(keys.burst, fmt::format("{} bits is less than a byte", limit.burst));
  if (MakeTokenBucket(limit).buffer == 0) {
    o.Fail(keys.burst, fmt::format("{} bits last less than 64 ns, the kernel's tick, at {} bits/s",
                                   limit.burst, limit.rate));
  }
}

Limit DecodeLimit(const json::Object& o, const Keys& keys) {
  Limit limit;
  o.Optional(keys.rate, limit.rate);
  o.Optional(keys.burst, limit.burst);
  if (limit.burst == 0 && limit.rate != 0) {
    Fail(o, keys.burst, "if rate is set, burst must also be set");
  }
  if (limit.rate == 0 && limit.burst != 0) {
    Fail(o, keys.rate, "if burst is set, rate must also be set");
  }
  if (limit.burst / 8 >= UINT32_MAX) Fail(o, keys.burst, "burst cannot be more than 4GB");
  if (limit.set()) CheckExpressible(o, keys, limit);
  return limit;
}

std::vector<net::Prefix> DecodeSubnets(const json::Object& o, std::string_view key) {
  std::vector<net::Prefix> subnets;
  const auto values = o.OptionalArray(key);
  if (!values) return subnets;
  for (const json::Value& value : *values) {
    const std::string text = value.String();
    const std::optional<net::Prefix> subnet = net::Prefix::Parse(text);
    if (!subnet) {
      throw Error(Code::kConfig, fmt::format("{}: {:?} is not a subnet", value.path(), text),
                  "want something like 10.0.0.0/8 or 2001:db8::/32");
    }
    if (std::find(subnets.begin(), subnets.end(), subnet->Subnet()) == subnets.end()) {
      subnets.push_back(subnet->Subnet());
    }
  }
  return subnets;
}

/// @returns whether there were any
bool DecodeSubnets(const json::Object& o, Config& config) {
  config.shaped = DecodeSubnets(o, "shapedSubnets");
  config.unshaped = DecodeSubnets(o, "unshapedSubnets");
  if (!config.shaped.empty() && !config.unshaped.empty()) {
    o.Fail("shapedSubnets", "excludes unshapedSubnets");
  }
  return !config.shaped.empty() || !config.unshaped.empty();
}

bool HasAny(const json::Object& o, const Keys& keys) {
  return o.Has(keys.rate) || o.Has(keys.burst);
}

void EncodeSubnets(std::string_view key, const std::vector<net::Prefix>& subnets, json::Writer& w) {
  std::vector<std::string> texts;
  texts.reserve(subnets.size());
  for (const net::Prefix& subnet : subnets) texts.push_back(subnet.ToString());
  w.MemberUnlessEmpty(key, texts);
}

void EncodeLimit(const Keys& keys, const Limit& limit, json::Writer& w) {
  if (limit.set()) w.Member(keys.rate, limit.rate).Member(keys.burst, limit.burst);
}

}  // namespace

Config DecodeConfig(const json::Object& conf) {
  const bool is_static = HasAny(conf, kIngress) | HasAny(conf, kEgress);  // both are known keys
  std::optional<json::Object> entry;
  if (const auto runtime = conf.OptionalObject("runtimeConfig")) {
    entry = runtime->OptionalObject("bandwidth");
  }
  if (is_static || !entry) entry = conf;
  Config config;
  config.ingress = DecodeLimit(*entry, kIngress);
  config.egress = DecodeLimit(*entry, kEgress);
  Config common;
  DecodeSubnets(conf, common);
  if (!DecodeSubnets(*entry, config)) {
    config.shaped = std::move(common.shaped);
    config.unshaped = std::move(common.unshaped);
  }
  return config;
}

void Encode(const Config& config, json::Writer& w) {
  EncodeLimit(kIngress, config.ingress, w);
  EncodeLimit(kEgress, config.egress, w);
  EncodeSubnets("shapedSubnets", config.shaped, w);
  EncodeSubnets("unshapedSubnets", config.unshaped, w);
}

}  // namespace cnm::bandwidth
