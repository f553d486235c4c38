// element.cc: rules as elements of nftables sets.
#include "common/firewall/nftables/element.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/netlink/attributes.h"

namespace cnm::firewall {
namespace {

using netlink::Attributes;
using netlink::Nest;
using netlink::Request;

constexpr size_t kLinkNameBytes = 16;  // IFNAMSIZ
constexpr size_t kCommentBytes = 128;  // nft(8) reads no longer one
constexpr uint8_t kCommentType = 0;    // NFTNL_UDATA_SET_ELEM_COMMENT: how nft(8) marks a comment

/// What nft(8) prints between quotes must not end them.
std::string MakeComment(const Rules& rules) {
  std::string comment = fmt::format("{} {}", rules.owner, rules.network);
  if (comment.size() >= kCommentBytes) comment.resize(kCommentBytes - 1);
  for (char& c : comment) {
    if (c < ' ' || c == '"' || c == '\\' || c == '\x7f') c = '_';
  }
  return comment;
}

std::vector<uint8_t> LinkKey(const std::string& link) {
  if (link.empty() || link.size() >= kLinkNameBytes) {
    throw Error(Code::kInternal, fmt::format("spoof guard {}: not a link's name", link));
  }
  std::vector<uint8_t> key(link.begin(), link.end());
  key.resize(kLinkNameBytes);
  return key;
}

Request MakeElementMessage(int type, int flags, Table table, std::string_view set) {
  Request request = MakeMessage("", type, flags, table);
  netlink::PutText(request, NFTA_SET_ELEM_LIST_SET, set);
  return request;
}

void PutElement(const Request& request, const Element& element, bool with_comment) {
  const Nest list(request, NFTA_SET_ELEM_LIST_ELEMENTS);
  const Nest item(request, NFTA_LIST_ELEM);
  {
    const Nest key(request, NFTA_SET_ELEM_KEY);
    netlink::Put(request, NFTA_DATA_VALUE, element.key);
  }
  if (!with_comment) return;
  std::vector<uint8_t> data = {kCommentType, static_cast<uint8_t>(element.comment.size() + 1)};
  data.insert(data.end(), element.comment.begin(), element.comment.end());
  data.push_back(0);
  netlink::Put(request, NFTA_SET_ELEM_USERDATA, data);
}

/// The comment among the type-length-value triples of an element's user data.
std::string DecodeComment(std::span<const uint8_t> data) {
  while (data.size() >= 2 && data.size() - 2 >= data[1]) {
    const std::span<const uint8_t> value = data.subspan(2, data[1]);
    if (data[0] == kCommentType) {
      const auto end = std::find(value.begin(), value.end(), uint8_t{0});
      return {value.begin(), end};
    }
    data = data.subspan(2U + data[1]);
  }
  return "";
}

}  // namespace

std::string MasqueradeSet(const net::Prefix& subnet) {
  std::string name = fmt::format("masquerade-{}", subnet.ToString());
  std::replace(name.begin(), name.end(), ':', '_');
  return name;
}

std::vector<Element> ElementsOf(const Rules& rules) {
  std::vector<Element> elements;
  const std::string comment = MakeComment(rules);
  std::vector<Masquerade> masquerades = rules.masquerades;
  const auto less = [](const Masquerade& a, const Masquerade& b) { return a.source < b.source; };
  std::sort(masquerades.begin(), masquerades.end(), less);
  masquerades.erase(std::unique(masquerades.begin(), masquerades.end()), masquerades.end());
  for (const auto& [source] : masquerades) {
    const auto bytes = source.address.bytes();
    elements.push_back({.table = Table::kInet,
                        .set = MasqueradeSet(source.Subnet()),
                        .key = {bytes.begin(), bytes.end()},
                        .comment = comment,
                        .what = "masquerade " + source.address.ToString(),
                        .subnet = source.Subnet()});
  }
  if (!rules.spoof_guard) return elements;
  const SpoofGuard& guard = *rules.spoof_guard;
  Element link{.table = Table::kBridge,
               .set = std::string(kGuardedLinks),
               .key = LinkKey(guard.link),
               .comment = comment,
               .what = "spoof guard " + guard.link};
  Element pair = link;
  pair.set = kGuardedPairs;
  pair.key.insert(pair.key.end(), guard.mac.bytes.begin(), guard.mac.bytes.end());
  pair.key.resize(kLinkNameBytes + 8);
  // The pair first: whoever looks between two dumps sees no link that is guarded and mute.
  elements.push_back(std::move(pair));
  elements.push_back(std::move(link));
  return elements;
}

std::string Place(const Element& element) {
  return fmt::format("{} {} {}", FamilyName(element.table), kTableName, element.set);
}

std::string_view OwnerOf(std::string_view comment) {
  return comment.substr(0, comment.find(' '));
}

Request MakeMessage(std::string what, int type, int flags, Table table) {
  Request request(std::move(what), static_cast<uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type),
                  static_cast<uint16_t>(flags));
  const nfgenmsg header{static_cast<uint8_t>(table), NFNETLINK_V0, 0};
  netlink::AppendHeader(request, header);
  netlink::PutText(request, NFTA_TABLE_NAME, kTableName);
  return request;
}

Request AddElement(const Element& element, int flags) {
  Request request =
      MakeElementMessage(NFT_MSG_NEWSETELEM, NLM_F_CREATE | flags, element.table, element.set);
  PutElement(request, element, true);
  return request;
}

Request RemoveElement(const Element& element) {
  Request request = MakeElementMessage(NFT_MSG_DELSETELEM, 0, element.table, element.set);
  PutElement(request, element, false);
  return request;
}

Request FindElement(const Element& element) {
  Request request = MakeElementMessage(NFT_MSG_GETSETELEM, 0, element.table, element.set);
  PutElement(request, element, false);
  return request;
}

Request ListElements(Table table, std::string_view set) {
  return MakeElementMessage(NFT_MSG_GETSETELEM, 0, table, set);
}

std::vector<Stored> DecodeElements(const nlmsghdr& message) {
  std::vector<Stored> elements;
  if (message.nlmsg_len < NLMSG_LENGTH(sizeof(nfgenmsg))) return elements;
  const char* const first = static_cast<const char*>(NLMSG_DATA(&message)) + sizeof(nfgenmsg);
  const Attributes<NFTA_SET_ELEM_LIST_MAX> attributes(
      first, static_cast<int>(NLMSG_PAYLOAD(&message, sizeof(nfgenmsg))));
  netlink::ForEachNested(attributes[NFTA_SET_ELEM_LIST_ELEMENTS], [&](const nlattr* item) {
    const Attributes<NFTA_SET_ELEM_MAX> element(item);
    const Attributes<NFTA_DATA_MAX> key(element[NFTA_SET_ELEM_KEY]);
    const auto bytes = netlink::Bytes(key[NFTA_DATA_VALUE]);
    elements.push_back({{bytes.begin(), bytes.end()},
                        DecodeComment(netlink::Bytes(element[NFTA_SET_ELEM_USERDATA]))});
  });
  return elements;
}

}  // namespace cnm::firewall
