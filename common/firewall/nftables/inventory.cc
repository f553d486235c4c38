// inventory.cc: what our nftables tables hold now.
#include "common/firewall/nftables/inventory.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/firewall/nftables/schema.h"
#include "common/netlink/attributes.h"

namespace cnm::firewall {
namespace {

using netlink::Attributes;
using netlink::Channel;
using netlink::Request;

template <int kMax>
Attributes<kMax> AttributesOf(const nlmsghdr& message) {
  const char* const first = static_cast<const char*>(NLMSG_DATA(&message)) + sizeof(nfgenmsg);
  return {first, static_cast<int>(NLMSG_PAYLOAD(&message, sizeof(nfgenmsg)))};
}

/// The schema of the table: 0 if there is no such table, or none of ours.
unsigned FindSchema(Channel& channel, Table table) {
  Request request = MakeMessage("list nftables chains", NFT_MSG_GETCHAIN, 0, table);
  request.Tolerate(ENOENT);
  unsigned schema = 0;
  channel.Dump(
      request, [&] { schema = 0; },
      [&](const nlmsghdr& message) {
        const auto chain = AttributesOf<NFTA_CHAIN_MAX>(message);
        if (netlink::Text(chain[NFTA_CHAIN_TABLE]) != kTableName) return;
        schema = std::max(schema, SchemaOf(netlink::Text(chain[NFTA_CHAIN_NAME])));
      });
  return schema;
}

std::vector<std::string> SetsOf(Channel& channel, Table table) {
  Request request = MakeMessage("list nftables sets", NFT_MSG_GETSET, 0, table);
  request.Tolerate(ENOENT);
  std::vector<std::string> sets;
  channel.Dump(
      request, [&] { sets.clear(); },
      [&](const nlmsghdr& message) {
        const auto set = AttributesOf<NFTA_SET_MAX>(message);
        if (netlink::Text(set[NFTA_SET_TABLE]) != kTableName) return;
        sets.push_back(netlink::Text(set[NFTA_SET_NAME]));
      });
  return sets;
}

}  // namespace

uint32_t ReadGeneration(Channel& channel) {
  Request request("read the nftables generation", NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, 0);
  netlink::AppendHeader(request, nfgenmsg{AF_UNSPEC, NFNETLINK_V0, 0});
  uint32_t generation = 0;
  channel.Ask(request, [&](const nlmsghdr& message) {
    const auto attributes = AttributesOf<NFTA_GEN_MAX>(message);
    generation = ntohl(netlink::NumberOr<uint32_t>(attributes[NFTA_GEN_ID], 0));
  });
  return generation;
}

bool IsCurrent(Channel& channel, Table table) {
  const unsigned schema = FindSchema(channel, table);
  if (schema <= kSchema) return schema == kSchema;
  throw Error(Code::kTryAgain,
              fmt::format("nftables table {} {}: its schema is {}, this program knows {}",
                          FamilyName(table), kTableName, schema, kSchema),
              "a newer version built it: use that one, or remove its endpoints first");
}

std::optional<std::string> FindComment(Channel& channel, const Element& element) {
  Request request = FindElement(element);
  request.Tolerate(ENOENT);
  std::optional<std::string> comment;
  channel.Ask(request, [&](const nlmsghdr& message) {
    for (Stored& stored : DecodeElements(message)) comment = std::move(stored.comment);
  });
  return comment;
}

std::vector<Element> FindOwned(Channel& channel, Table table, std::string_view owner) {
  std::vector<Element> owned;
  for (const std::string& set : SetsOf(channel, table)) {
    Request request = ListElements(table, set);
    request.Tolerate(ENOENT);
    const size_t before = owned.size();
    channel.Dump(
        request, [&] { owned.resize(before); },
        [&](const nlmsghdr& message) {
          for (Stored& stored : DecodeElements(message)) {
            if (OwnerOf(stored.comment) != owner) continue;
            owned.push_back({.table = table,
                             .set = set,
                             .key = std::move(stored.key),
                             .comment = std::move(stored.comment),
                             .what = fmt::format("element of set {}", set)});
          }
        });
  }
  return owned;
}

}  // namespace cnm::firewall
