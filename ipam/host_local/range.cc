// range.cc: the address ranges host-local allocates from, and the ordinals of their addresses.
#include "ipam/host_local/range.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::host_local {
namespace {

/// How many ordinals a span takes when `used` of them are taken already.
uint32_t Take(const Span& span, uint32_t used) {
  const uint64_t distance = span.last.DistanceFrom(span.first);
  const uint32_t room = kMaxOrdinals - used;
  return distance >= room ? room : static_cast<uint32_t>(distance) + 1;
}

}  // namespace

uint32_t OrdinalCount(std::span<const Span> spans) {
  uint32_t count = 0;
  for (const Span& span : spans) count += Take(span, count);
  return count;
}

std::optional<uint32_t> OrdinalOf(std::span<const Span> spans, const net::Address& address) {
  uint32_t start = 0;
  for (const Span& span : spans) {
    const uint32_t size = Take(span, start);
    if (span.Contains(address)) {
      const uint64_t distance = address.DistanceFrom(span.first);
      if (distance >= size) return std::nullopt;
      return start + static_cast<uint32_t>(distance);
    }
    start += size;
  }
  return std::nullopt;
}

net::Address AddressAt(std::span<const Span> spans, uint32_t ordinal) {
  for (const Span& span : spans) {
    const uint64_t distance = span.last.DistanceFrom(span.first);
    if (ordinal <= distance) return span.first.Plus(ordinal);
    ordinal -= static_cast<uint32_t>(distance) + 1;
  }
  throw Error(Code::kInternal, "address range: ordinal beyond the last address");
}

bool AnyContains(std::span<const Span> spans, const net::Address& address) {
  return std::ranges::any_of(spans, [&](const Span& span) { return span.Contains(address); });
}

std::string Range::ToString() const {
  return fmt::format("{}-{}", first.ToString(), last.ToString());
}

const Range* RangeSet::Find(const net::Address& address) const {
  for (const Range& range : ranges) {
    if (range.Contains(address)) return &range;
  }
  return nullptr;
}

std::vector<Span> RangeSet::Spans() const {
  std::vector<Span> spans;
  spans.reserve(ranges.size());
  for (const Range& range : ranges) spans.push_back({range.first, range.last});
  return spans;
}

std::vector<Span> RangeSet::Blocked() const {
  std::vector<Span> blocked = excluded;
  for (const Range& range : ranges) {
    blocked.push_back({range.gateway, range.gateway});
    blocked.insert(blocked.end(), range.excluded.begin(), range.excluded.end());
  }
  std::ranges::sort(blocked);
  blocked.erase(std::unique(blocked.begin(), blocked.end()), blocked.end());
  return blocked;
}

std::string RangeSet::ToString() const {
  std::vector<std::string> texts;
  texts.reserve(ranges.size());
  for (const Range& range : ranges) texts.push_back(range.ToString());
  return fmt::format("{}", fmt::join(texts, ","));
}

}  // namespace cnm::host_local
