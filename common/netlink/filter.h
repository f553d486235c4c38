// filter.h: traffic control filters as values, and the requests that change them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/net/prefix.h"
#include "common/netlink/request.h"
#include "common/netlink/socket.h"

namespace cnm::netlink {

/// Where filters of arriving packets hang, at an ingress and at a clsact qdisc alike.
constexpr uint32_t kIngressFilters = 0xFFFFFFF2;  ///< TC_H_CLSACT : TC_H_MIN_INGRESS

/// 32 bits of a packet, counted from its network header, that must have a value (host order).
struct FilterKey {
  int offset = 0;  ///< bytes
  uint32_t value = 0;
  uint32_t mask = 0;
  bool operator==(const FilterKey&) const = default;
};
/// Matches every packet.
std::vector<FilterKey> MatchAll();
/// Match packets of the subnet's family by their source or destination address.
std::vector<FilterKey> MatchSource(const net::Prefix& subnet);
std::vector<FilterKey> MatchDestination(const net::Prefix& subnet);

/// A u32 filter. The first one that matches decides.
struct Filter {
  int ifindex = 0;
  uint32_t parent = kIngressFilters;
  uint16_t priority = 0;  ///< 1 is asked first; all of one priority have one protocol
  uint16_t protocol = 0;  ///< ETH_P_*, host order
  uint32_t handle = 0;    ///< 0 = the kernel chooses
  std::string kind = "u32";
  uint32_t class_id = 0;
  std::vector<FilterKey> keys = {};
  /// The link whose output queue takes matching packets; 0 = one that is gone, so they are dropped;
  /// nullopt = they go their way.
  std::optional<int> redirect = {};
  bool operator==(const Filter&) const = default;
};
Request AddFilter(const Filter& filter);
/// The one of this handle. Tolerated: there is none.
Request RemoveFilter(const Filter& filter);
/// The filters at this parent in the order they are asked, of every kind.
std::vector<Filter> Filters(Socket& socket, int ifindex, uint32_t parent);

}  // namespace cnm::netlink
