// structure.cc: messages that make and delete chains, sets and rules.
#include "common/firewall/nftables/structure.h"

#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <array>

#include "common/netlink/attributes.h"

namespace cnm::firewall::nftables {
namespace {

using netlink::Nest;
using netlink::Request;

constexpr int kCreate = NLM_F_CREATE | NLM_F_EXCL;
constexpr FamilyFields kIpv4Fields = {net::Family::kIpv4,
                                      NFPROTO_IPV4,
                                      {NFT_PAYLOAD_NETWORK_HEADER, 12, 4},
                                      {NFT_PAYLOAD_NETWORK_HEADER, 16, 4}};
constexpr FamilyFields kIpv6Fields = {net::Family::kIpv6,
                                      NFPROTO_IPV6,
                                      {NFT_PAYLOAD_NETWORK_HEADER, 8, 16},
                                      {NFT_PAYLOAD_NETWORK_HEADER, 24, 16}};

Request MakeChainMessage(int type, int flags, Table table, std::string_view name) {
  Request request = MakeMessage(type, flags, table);
  netlink::PutText(request, NFTA_CHAIN_NAME, name);
  return request;
}

Request MakeRuleMessage(int type, int flags, Table table, std::string_view chain) {
  Request request = MakeMessage(type, flags, table);
  netlink::PutText(request, NFTA_RULE_CHAIN, chain);
  return request;
}

void PutFields(const Request& request, const std::vector<uint32_t>& fields) {
  const Nest description(request, NFTA_SET_DESC);
  const Nest concatenation(request, NFTA_SET_DESC_CONCAT);
  for (const uint32_t bytes : fields) {
    const Nest field(request, NFTA_LIST_ELEM);
    Expressions::PutNumber(request, NFTA_SET_FIELD_LEN, bytes);
  }
}

/// NFTNL_UDATA_SET_KEYBYTEORDER and ..._DATABYTEORDER, 4 bytes each.
void PutByteOrders(const Request& request, const SetType& type) {
  std::vector<uint8_t> orders = {0, 4, type.order, 0, 0, 0};
  if (type.data_bytes > 0) orders.insert(orders.end(), {1, 4, type.data_order, 0, 0, 0});
  netlink::Put(request, NFTA_SET_USERDATA, orders);
}

}  // namespace

const FamilyFields& FieldsOf(net::Family family) {
  return family == net::Family::kIpv4 ? kIpv4Fields : kIpv6Fields;
}

SetType AddressType(net::Family family) {
  const bool is_v4 = family == net::Family::kIpv4;
  return {.type = is_v4 ? kTypeIpv4 : kTypeIpv6, .bytes = is_v4 ? 4U : 16U, .order = kNetworkOrder};
}

Request MakeTable(Table table) {
  return MakeMessage(NFT_MSG_NEWTABLE, NLM_F_CREATE, table);
}

Request MakeChain(Table table, std::string_view name) {
  return MakeChainMessage(NFT_MSG_NEWCHAIN, kCreate, table, name);
}

Request EnsureChain(Table table, std::string_view name) {
  return MakeChainMessage(NFT_MSG_NEWCHAIN, NLM_F_CREATE, table, name);
}

Request MakeBaseChain(Table table, const Hook& hook) {
  Request request = MakeChain(table, hook.chain);
  netlink::PutText(request, NFTA_CHAIN_TYPE, hook.type);
  Expressions::PutNumber(request, NFTA_CHAIN_POLICY, NF_ACCEPT);
  const Nest nest(request, NFTA_CHAIN_HOOK);
  Expressions::PutNumber(request, NFTA_HOOK_HOOKNUM, hook.number);
  Expressions::PutNumber(request, NFTA_HOOK_PRIORITY, static_cast<uint32_t>(hook.priority));
  return request;
}

Request MakeSet(Table table, std::string_view name, const SetType& type, uint32_t id) {
  Request request = MakeMessage(NFT_MSG_NEWSET, kCreate, table);
  const bool is_map = type.data_bytes > 0;
  const bool has_ranges = !type.fields.empty();
  uint32_t flags = 0;
  if (is_map) flags |= NFT_SET_MAP;
  if (has_ranges) flags |= NFT_SET_INTERVAL | NFT_SET_CONCAT;
  netlink::PutText(request, NFTA_SET_NAME, name);
  Expressions::PutNumber(request, NFTA_SET_FLAGS, flags);
  Expressions::PutNumber(request, NFTA_SET_KEY_TYPE, type.type);
  Expressions::PutNumber(request, NFTA_SET_KEY_LEN, type.bytes);
  if (is_map) {
    Expressions::PutNumber(request, NFTA_SET_DATA_TYPE, type.data_type);
    Expressions::PutNumber(request, NFTA_SET_DATA_LEN, type.data_bytes);
  }
  Expressions::PutNumber(request, NFTA_SET_ID, id);
  if (has_ranges) PutFields(request, type.fields);
  PutByteOrders(request, type);
  return request;
}

Request MakeRule(Table table, std::string_view chain) {
  return MakeRuleMessage(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, table, chain);
}

Request MakeFirstRule(Table table, std::string_view chain) {
  return MakeRuleMessage(NFT_MSG_NEWRULE, NLM_F_CREATE, table, chain);
}

Request FlushChain(const ChainName& chain) {
  Request request = MakeMessage(NFT_MSG_DELRULE, 0, chain.family, chain.table);
  netlink::PutText(request, NFTA_RULE_CHAIN, chain.chain);
  return request;
}

Request RemoveChain(const ChainName& chain) {
  Request request = MakeMessage(NFT_MSG_DELCHAIN, 0, chain.family, chain.table);
  netlink::PutText(request, NFTA_CHAIN_NAME, chain.chain);
  return request;
}

Request RemoveSet(Table table, std::string_view set) {
  Request request = MakeMessage(NFT_MSG_DELSET, 0, table);
  netlink::PutText(request, NFTA_SET_NAME, set);
  return request;
}

void MatchFamily(Expressions& rule, const FamilyFields& fields) {
  rule.Meta(NFT_META_NFPROTO, NFT_REG_1);
  rule.Compare(NFT_CMP_EQ, {&fields.protocol, 1});
}

}  // namespace cnm::firewall::nftables
