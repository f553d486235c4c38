// range_decode.cc: ranges as they are written in a configuration, and the rules that make them
// valid.
#include "ipam/host_local/range_decode.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::host_local {
namespace {

[[noreturn]] void Fail(std::string message, std::string path) {
  throw Error(Code::kConfig, std::move(message), std::move(path));
}

std::optional<net::Address> DecodeAddress(const json::Object& o, std::string_view key) {
  std::string text;
  if (!o.Optional(key, text) || text.empty()) return std::nullopt;
  const auto address = net::Address::Parse(text);
  if (!address)
    Fail(fmt::format("invalid IP address: {}", text), fmt::format("{}.{}", o.path(), key));
  return address;
}

/// An address or a CIDR.
Span DecodeSpan(const std::string& text, std::string path) {
  if (const auto address = net::Address::Parse(text)) return {*address, *address};
  const auto prefix = net::Prefix::Parse(text);
  if (!prefix) Fail(fmt::format("invalid IP or CIDR address: {}", text), std::move(path));
  return {prefix->Subnet().address, prefix->Last()};
}

void Warn(const RawRange& range, std::vector<std::string>& warnings) {
  if (!range.subnet) return;
  for (const Span& span : range.excluded) {
    if (range.subnet->Contains(span.first) || range.subnet->Contains(span.last) ||
        span.Contains(range.subnet->address)) {
      continue;
    }
    warnings.push_back(
        fmt::format("{}.exclude: {} is not in the subnet", range.path, span.first.ToString()));
  }
}

/// Where the range begins and ends. The texts follow the reference, which checks the start against
/// the end as given, so that an end before the start is reported as a start outside the network.
void SetBounds(const RawRange& raw, Range& range) {
  const net::Prefix& subnet = range.subnet;
  const uint64_t last_offset = subnet.Last().DistanceFrom(subnet.address);
  range.first = raw.first.value_or(subnet.address.Next());
  const bool start_after_end = raw.last && raw.first && *raw.last < *raw.first;
  if (!subnet.Contains(range.first) || start_after_end) {
    Fail(fmt::format("RangeStart {} not in network {}", range.first.ToString(), subnet.ToString()),
         raw.path + ".rangeStart");
  }
  // An IPv4 subnet's last address is its broadcast address; IPv6 has none.
  range.last = raw.last.value_or(subnet.address.is_v4() ? subnet.address.Plus(last_offset - 1)
                                                        : subnet.Last());
  if (!subnet.Contains(range.last) || range.last < range.first) {
    Fail(fmt::format("RangeEnd {} not in network {}", range.last.ToString(), subnet.ToString()),
         raw.path + ".rangeEnd");
  }
}

Range ValidateRange(const RawRange& raw) {
  if (!raw.subnet) Fail("subnet missing", raw.path + ".subnet");
  Range range;
  range.path = raw.path;
  range.excluded = raw.excluded;
  range.subnet = *raw.subnet;
  const std::string path = raw.path + ".subnet";
  if (range.subnet.length > range.subnet.address.bits() - 2) {
    Fail(fmt::format("Network {} too small to allocate from", range.subnet.ToString()), path);
  }
  if (range.subnet != range.subnet.Subnet()) {
    Fail(fmt::format("Network has host bits set. For a subnet mask of length {} the network "
                     "address is {}",
                     range.subnet.length, range.subnet.Subnet().address.ToString()),
         path);
  }
  range.gateway = raw.gateway.value_or(range.subnet.address.Next());
  if (range.gateway.family() != range.subnet.address.family()) {
    Fail(fmt::format("gateway {} is of another address family than network {}",
                     range.gateway.ToString(), range.subnet.ToString()),
         raw.path + ".gateway");
  }
  SetBounds(raw, range);
  return range;
}

struct Numbered {
  Span span;
  size_t number;
};

/// The numbers, lower first, of two spans that share an address. Sorted, so that a hostile
/// configuration of 100,000 ranges takes no quadratic time.
std::optional<std::pair<size_t, size_t>> FindOverlap(std::vector<Numbered> spans) {
  std::ranges::sort(spans, [](const Numbered& a, const Numbered& b) { return a.span < b.span; });
  for (size_t i = 1; i < spans.size(); ++i) {
    // Until one overlaps the spans are disjoint, so the previous one reaches furthest.
    if (spans[i - 1].span.Contains(spans[i].span.first)) {
      return std::minmax(spans[i - 1].number, spans[i].number);
    }
  }
  return std::nullopt;
}

RangeSet ValidateRangeSet(const RawRangeSet& raw) {
  if (raw.empty()) Fail("empty range set", "");
  RangeSet set;
  std::vector<Numbered> spans;
  for (const RawRange& range : raw) {
    set.ranges.push_back(ValidateRange(range));
    const Range& valid = set.ranges.back();
    if (valid.first.family() != set.ranges.front().first.family()) {
      Fail("mixed address families", range.path + ".subnet");
    }
    spans.push_back({{valid.first, valid.last}, spans.size()});
  }
  if (const auto pair = FindOverlap(std::move(spans))) {
    const Range& a = set.ranges[pair->first];
    const Range& b = set.ranges[pair->second];
    throw Error(Code::kOverlap,
                fmt::format("subnets {} and {} overlap", a.ToString(), b.ToString()),
                fmt::format("{} and {}", a.path, b.path));
  }
  return set;
}

}  // namespace

RawRange DecodeRawRange(const json::Object& o) {
  RawRange range;
  range.path = o.path();
  std::string text;
  if (o.Optional("subnet", text) && !text.empty()) {
    range.subnet = net::Prefix::Parse(text);
    if (!range.subnet) Fail(fmt::format("invalid CIDR address: {}", text), range.path + ".subnet");
  }
  range.first = DecodeAddress(o, "rangeStart");
  range.last = DecodeAddress(o, "rangeEnd");
  range.gateway = DecodeAddress(o, "gateway");
  std::vector<std::string> excluded;
  o.Optional("exclude", excluded);
  for (size_t i = 0; i < excluded.size(); ++i) {
    range.excluded.push_back(DecodeSpan(excluded[i], fmt::format("{}.exclude[{}]", range.path, i)));
  }
  return range;
}

std::vector<RawRangeSet> DecodeRawRangeSets(const json::Object& o, std::string_view key,
                                            std::vector<std::string>& warnings) {
  std::vector<RawRangeSet> sets;
  const auto elements = o.OptionalArray(key);
  if (!elements) return sets;
  for (const json::Value& element : *elements) {
    RawRangeSet& set = sets.emplace_back();
    for (const json::Value& value : element.Array()) {
      const json::Object range = value.AsObject();
      set.push_back(DecodeRawRange(range));
      Warn(set.back(), warnings);
      std::ranges::move(range.Warnings(), std::back_inserter(warnings));
    }
  }
  return sets;
}

std::vector<RangeSet> ValidateRangeSets(std::span<const RawRangeSet> raw) {
  std::vector<RangeSet> sets;
  for (size_t i = 0; i < raw.size(); ++i) {
    try {
      sets.push_back(ValidateRangeSet(raw[i]));
    } catch (Error& error) {
      throw error.AddContext(fmt::format("invalid range set {}", i));
    }
  }
  return sets;
}

void CheckSetsDisjoint(std::span<const RangeSet> sets) {
  std::vector<Numbered> spans;
  for (size_t i = 0; i < sets.size(); ++i) {
    for (const Span& span : sets[i].Spans()) spans.push_back({span, i});
  }
  const auto pair = FindOverlap(std::move(spans));
  if (!pair) return;
  throw Error(Code::kOverlap,
              fmt::format("range set {} overlaps with {}", pair->first, pair->second),
              fmt::format("{} and {}", sets[pair->first].ranges.front().path,
                          sets[pair->second].ranges.front().path));
}

}  // namespace cnm::host_local
