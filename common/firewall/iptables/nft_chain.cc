// nft_chain.cc: reading iptables' chains out of nf_tables.
#include "common/firewall/iptables/nft_chain.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/netlink/attributes.h"

namespace cnm::firewall::iptables {
namespace {

using netlink::Attributes;
using netlink::Channel;
using netlink::Request;

uint8_t NfFamily(net::Family family) {
  return family == net::Family::kIpv4 ? uint8_t{NFPROTO_IPV4} : uint8_t{NFPROTO_IPV6};
}

template <int kMax>
Attributes<kMax> AttributesOf(const nlmsghdr& message) {
  const char* const first = static_cast<const char*>(NLMSG_DATA(&message)) + sizeof(nfgenmsg);
  return {first, static_cast<int>(NLMSG_PAYLOAD(&message, sizeof(nfgenmsg)))};
}

/// What GETCHAIN tells.
struct ChainHead {
  bool exists = false;
  size_t use = 0;  ///< its rules and those that jump to it
  Policy policy = Policy::kAbsent;
};

ChainHead ReadHead(Channel& channel, const TableName& table, const std::string& chain) {
  Request request = MakeNftMessage("read iptables chain " + chain, NFT_MSG_GETCHAIN, table.family);
  request.Tolerate(ENOENT);
  netlink::PutText(request, NFTA_CHAIN_TABLE, table.name);
  netlink::PutText(request, NFTA_CHAIN_NAME, chain);
  ChainHead head;
  channel.Ask(request, [&](const nlmsghdr& message) {
    const auto attributes = AttributesOf<NFTA_CHAIN_MAX>(message);
    head.exists = true;
    head.use = ntohl(netlink::NumberOr<uint32_t>(attributes[NFTA_CHAIN_USE], 0));
    const uint32_t policy =
        ntohl(netlink::NumberOr<uint32_t>(attributes[NFTA_CHAIN_POLICY], htonl(NF_ACCEPT)));
    head.policy = policy == NF_DROP ? Policy::kDrop : Policy::kAccept;
  });
  return head;
}

}  // namespace

Request MakeNftMessage(std::string what, int type, net::Family family) {
  Request request(std::move(what), static_cast<uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type), 0);
  netlink::AppendHeader(request, nfgenmsg{NfFamily(family), NFNETLINK_V0, 0});
  return request;
}

Chain ReadNftChain(Channel& channel, const TableName& table, const std::string& name) {
  Chain chain;
  const ChainHead head = ReadHead(channel, table, name);
  chain.exists = head.exists;
  if (head.use == 0) return chain;
  Request request = MakeNftMessage("list iptables chain " + name, NFT_MSG_GETRULE, table.family);
  request.Tolerate(ENOENT);
  netlink::PutText(request, NFTA_RULE_TABLE, table.name);
  netlink::PutText(request, NFTA_RULE_CHAIN, name);
  channel.Dump(
      request, [&] { chain.rules.clear(); },
      [&](const nlmsghdr& message) {
        // Kernels before 4.16 do not filter by themselves.
        const auto attributes = AttributesOf<NFTA_RULE_MAX>(message);
        if (netlink::Text(attributes[NFTA_RULE_CHAIN]) != name ||
            netlink::Text(attributes[NFTA_RULE_TABLE]) != table.name) {
          return;
        }
        chain.rules.push_back(DecodeNftRule(message, table.family));
      });
  chain.references = head.use - std::min(head.use, chain.rules.size());
  return chain;
}

Policy ReadNftPolicy(Channel& channel, const TableName& table, const std::string& chain) {
  return ReadHead(channel, table, chain).policy;
}

std::vector<ChainName> ListNftChains(Channel& channel, net::Family family) {
  Request request = MakeNftMessage("list iptables chains", NFT_MSG_GETCHAIN, family);
  request.Tolerate(ENOENT);
  std::vector<ChainName> chains;
  channel.Dump(
      request, [&] { chains.clear(); },
      [&](const nlmsghdr& message) {
        const auto attributes = AttributesOf<NFTA_CHAIN_MAX>(message);
        ChainName chain{netlink::Text(attributes[NFTA_CHAIN_TABLE]),
                        netlink::Text(attributes[NFTA_CHAIN_NAME])};
        if (chain.table != "filter" && chain.table != "nat" && chain.table != "raw") return;
        chains.push_back(std::move(chain));
      });
  return chains;
}

}  // namespace cnm::firewall::iptables
