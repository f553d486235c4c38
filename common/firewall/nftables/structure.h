// structure.h: messages that make and delete chains, sets and rules. Internal to this folder.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/firewall/nftables/element.h"
#include "common/firewall/nftables/expressions.h"
#include "common/netlink/request.h"

namespace cnm::firewall::nftables {

/// Where an address family keeps its addresses.
struct FamilyFields {
  net::Family family;
  uint8_t protocol;  ///< NFPROTO_*
  Field source;
  Field destination;
};
const FamilyFields& FieldsOf(net::Family family);

/// Where a base chain hangs: its type, hook number and priority.
struct Hook {
  std::string_view chain;
  std::string_view type;
  uint32_t number;
  int32_t priority;
};

/// What a set's keys, and a map's data, are: nft(8)'s own numbers, by which it prints them.
struct SetType {
  uint32_t type = 0;   ///< 6 bits for each field
  uint32_t bytes = 0;  ///< with padding
  uint8_t order = 0;   ///< of bytes; 0 = several fields
  uint32_t data_type = 0;
  uint32_t data_bytes = 0;  ///< 0 = a set, not a map
  uint8_t data_order = 0;
  std::vector<uint32_t> fields = {};  ///< bytes of each without padding: ranges are allowed
};
inline constexpr uint32_t kTypeIpv4 = 7;
inline constexpr uint32_t kTypeIpv6 = 8;
inline constexpr uint32_t kTypeEther = 9;
inline constexpr uint32_t kTypeProtocol = 12;
inline constexpr uint32_t kTypeService = 13;
inline constexpr uint32_t kTypeIfname = 41;
inline constexpr uint8_t kHostOrder = 1;
inline constexpr uint8_t kNetworkOrder = 2;
/// Links by name.
inline constexpr SetType kIfname = {.type = kTypeIfname, .bytes = 16, .order = kHostOrder};
/// Addresses of a family.
SetType AddressType(net::Family family);

netlink::Request MakeTable(Table table);
/// Fails with EEXIST when it is there.
netlink::Request MakeChain(Table table, std::string_view name);
/// Does not.
netlink::Request EnsureChain(Table table, std::string_view name);
netlink::Request MakeBaseChain(Table table, const Hook& hook);
/// `id` distinguishes the sets of one transaction.
netlink::Request MakeSet(Table table, std::string_view name, const SetType& type, uint32_t id);
/// A rule at the chain's end, or its head, still without expressions.
netlink::Request MakeRule(Table table, std::string_view chain);
netlink::Request MakeFirstRule(Table table, std::string_view chain);

/// Deletes every rule of the chain.
netlink::Request FlushChain(const ChainName& chain);
netlink::Request RemoveChain(const ChainName& chain);
netlink::Request RemoveSet(Table table, std::string_view set);

/// Goes on if the packet is of this family.
void MatchFamily(Expressions& rule, const FamilyFields& fields);

}  // namespace cnm::firewall::nftables
