// range_decode.h: ranges as they are written in a configuration, and the rules that make them
// valid.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/json/object.h"
#include "common/net/prefix.h"
#include "ipam/host_local/range.h"

namespace cnm::host_local {

/// A range as written: each member parses, but nothing is known of how they fit together.
struct RawRange {
  std::optional<net::Prefix> subnet;
  std::optional<net::Address> first;
  std::optional<net::Address> last;
  std::optional<net::Address> gateway;
  std::vector<Span> excluded;
  std::string path;
};
using RawRangeSet = std::vector<RawRange>;

/// Reads subnet, rangeStart, rangeEnd, gateway and exclude. @throws Error kDecode, kConfig
RawRange DecodeRawRange(const json::Object& o);
/// Reads a list of lists of ranges, empty when absent; unknown keys are added to `warnings`.
/// @throws Error kDecode, kConfig
std::vector<RawRangeSet> DecodeRawRangeSets(const json::Object& o, std::string_view key,
                                            std::vector<std::string>& warnings);

/// Fills in the defaults and checks each range and each set.
/// @throws Error kConfig, kOverlap "invalid range set 0: reason", with the JSON path as details
std::vector<RangeSet> ValidateRangeSets(std::span<const RawRangeSet> raw);
/// @throws Error kOverlap "range set 0 overlaps with 1"
void CheckSetsDisjoint(std::span<const RangeSet> sets);

}  // namespace cnm::host_local
