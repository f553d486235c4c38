// nft_chain.h: reading iptables' chains out of nf_tables, where its nft variant keeps them.
// Internal to this folder.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/firewall/iptables/resolve.h"
#include "common/net/address.h"
#include "common/netlink/channel.h"
#include "common/netlink/request.h"

struct nlmsghdr;

namespace cnm::firewall::iptables {

/// A table of iptables: "ip nat", "ip6 filter".
struct TableName {
  net::Family family = net::Family::kIpv4;
  std::string name;
};

/// A message about nf_tables objects of the table's family, `type` being NFT_MSG_*.
netlink::Request MakeNftMessage(std::string what, int type, net::Family family);

/// The chain with its rules; `exists` is false when it, or its table, is not there.
Chain ReadNftChain(netlink::Channel& channel, const TableName& table, const std::string& chain);

/// What a built-in chain does with packets that no rule decides.
enum class Policy { kAbsent, kAccept, kDrop };
Policy ReadNftPolicy(netlink::Channel& channel, const TableName& table, const std::string& chain);

/// The names of the chains of the tables "filter", "nat" and "raw" of the family, with their
/// table's.
struct ChainName {
  std::string table;
  std::string chain;
};
std::vector<ChainName> ListNftChains(netlink::Channel& channel, net::Family family);

/// One rule out of an NFT_MSG_NEWRULE message of that family.
Present DecodeNftRule(const nlmsghdr& message, net::Family family);

}  // namespace cnm::firewall::iptables
