// stored_rule.cc: rules that a chain holds now.
#include "common/firewall/nftables/stored_rule.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include <endian.h>
#include <netlink/msg.h>

#include "common/netlink/attributes.h"

namespace cnm::firewall::nftables {
namespace {

using netlink::Attributes;
using netlink::Request;

template <int kMax>
Attributes<kMax> AttributesOf(const nlmsghdr& message) {
  const char* const first = static_cast<const char*>(NLMSG_DATA(&message)) + sizeof(nfgenmsg);
  return {first, static_cast<int>(NLMSG_PAYLOAD(&message, sizeof(nfgenmsg)))};
}

std::vector<std::string> LookedUp(const nlattr* expressions) {
  std::vector<std::string> sets;
  netlink::ForEachNested(expressions, [&](const nlattr* item) {
    const Attributes<NFTA_EXPR_MAX> expression(item);
    if (netlink::Text(expression[NFTA_EXPR_NAME]) != "lookup") return;
    const Attributes<NFTA_LOOKUP_MAX> lookup(expression[NFTA_EXPR_DATA]);
    sets.push_back(netlink::Text(lookup[NFTA_LOOKUP_SET]));
  });
  return sets;
}

}  // namespace

std::vector<StoredRule> ReadRules(netlink::Channel& channel, const ChainName& chain) {
  Request request = MakeMessage(NFT_MSG_GETRULE, 0, chain.family, chain.table);
  netlink::PutText(request, NFTA_RULE_CHAIN, chain.chain);
  request.Tolerate(ENOENT);
  std::vector<StoredRule> rules;
  channel.Dump(
      request, [&] { rules.clear(); },
      [&](const nlmsghdr& message) {
        const auto rule = AttributesOf<NFTA_RULE_MAX>(message);
        rules.push_back({be64toh(netlink::NumberOr<uint64_t>(rule[NFTA_RULE_HANDLE], 0)),
                         DecodeComment(netlink::Bytes(rule[NFTA_RULE_USERDATA])),
                         LookedUp(rule[NFTA_RULE_EXPRESSIONS])});
      });
  return rules;
}

Request RemoveRule(const ChainName& chain, uint64_t handle) {
  Request request = MakeMessage(NFT_MSG_DELRULE, 0, chain.family, chain.table);
  netlink::PutText(request, NFTA_RULE_CHAIN, chain.chain);
  netlink::PutNumber<uint64_t>(request, NFTA_RULE_HANDLE, htobe64(handle));
  return request;
}

bool HasChain(netlink::Channel& channel, const ChainName& chain, bool base) {
  Request request = MakeMessage(NFT_MSG_GETCHAIN, 0, chain.family, chain.table);
  netlink::PutText(request, NFTA_CHAIN_NAME, chain.chain);
  request.Tolerate(ENOENT);
  bool found = false;
  channel.Ask(request, [&](const nlmsghdr& message) {
    found = !base || AttributesOf<NFTA_CHAIN_MAX>(message)[NFTA_CHAIN_HOOK] != nullptr;
  });
  return found;
}

}  // namespace cnm::firewall::nftables
