// element.cc: one element of an nftables set or map, and the messages about it.
#include "common/firewall/nftables/element.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "common/netlink/attributes.h"

namespace cnm::firewall::nftables {
namespace {

using netlink::Attributes;
using netlink::Nest;
using netlink::Request;

constexpr size_t kCommentBytes = 128;  // nft(8) reads no longer one
constexpr uint8_t kCommentType = 0;    // NFTNL_UDATA_SET_ELEM_COMMENT: how nft(8) marks a comment

Request MakeElementMessage(int type, int flags, Table table, std::string_view set) {
  Request request = MakeMessage(type, flags, table);
  netlink::PutText(request, NFTA_SET_ELEM_LIST_SET, set);
  return request;
}

void PutValue(const Request& request, int type, std::span<const uint8_t> value) {
  if (value.empty()) return;
  const Nest nest(request, type);
  netlink::Put(request, NFTA_DATA_VALUE, value);
}

void PutComment(const Request& request, const std::string& comment) {
  std::vector<uint8_t> data = {kCommentType, static_cast<uint8_t>(comment.size() + 1)};
  data.insert(data.end(), comment.begin(), comment.end());
  data.push_back(0);
  netlink::Put(request, NFTA_SET_ELEM_USERDATA, data);
}

std::vector<uint8_t> ValueOf(const nlattr* nest) {
  const Attributes<NFTA_DATA_MAX> data(nest);
  const auto bytes = netlink::Bytes(data[NFTA_DATA_VALUE]);
  return {bytes.begin(), bytes.end()};
}

const std::vector<uint8_t>& LastKey(const Element& element) {
  return element.key_end.empty() ? element.key : element.key_end;
}

}  // namespace

std::string Place(const Element& element) {
  return fmt::format("{} {} {}", FamilyName(element.table), kTableName, element.set);
}

std::string_view OwnerOf(std::string_view comment) {
  return comment.substr(0, comment.find(' '));
}

std::string_view NetworkOf(std::string_view comment) {
  const size_t blank = comment.find(' ');
  return blank == std::string_view::npos ? std::string_view() : comment.substr(blank + 1);
}

std::string MakeComment(const Rules& rules) {
  std::string comment = fmt::format("{} {}", rules.owner, rules.network);
  if (comment.size() >= kCommentBytes) comment.resize(kCommentBytes - 1);
  for (char& c : comment) {
    if (c < ' ' || c == '"' || c == '\\' || c == '\x7f') c = '_';
  }
  return comment;
}

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

Request MakeMessage(int type, int flags, uint8_t family, std::string_view table) {
  Request request("ask nftables", static_cast<uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type),
                  static_cast<uint16_t>(flags));
  netlink::AppendHeader(request, nfgenmsg{family, NFNETLINK_V0, 0});
  netlink::PutText(request, NFTA_TABLE_NAME, table);
  return request;
}

Request MakeMessage(int type, int flags, Table table) {
  return MakeMessage(type, flags, static_cast<uint8_t>(table), kTableName);
}

Request AddElements(std::span<const Element* const> elements, int flags) {
  const Element& first = *elements.front();
  Request request =
      MakeElementMessage(NFT_MSG_NEWSETELEM, NLM_F_CREATE | flags, first.table, first.set);
  const Nest list(request, NFTA_SET_ELEM_LIST_ELEMENTS);
  for (const Element* element : elements) {
    const Nest item(request, NFTA_LIST_ELEM);
    PutValue(request, NFTA_SET_ELEM_KEY, element->key);
    PutValue(request, NFTA_SET_ELEM_KEY_END, element->key_end);
    PutValue(request, NFTA_SET_ELEM_DATA, element->data);
    PutComment(request, element->comment);
  }
  return request;
}

Request RemoveElements(std::span<const Element* const> elements) {
  const Element& first = *elements.front();
  Request request = MakeElementMessage(NFT_MSG_DELSETELEM, 0, first.table, first.set);
  const Nest list(request, NFTA_SET_ELEM_LIST_ELEMENTS);
  for (const Element* element : elements) {
    const Nest item(request, NFTA_LIST_ELEM);
    PutValue(request, NFTA_SET_ELEM_KEY, element->key);
    PutValue(request, NFTA_SET_ELEM_KEY_END, element->key_end);
  }
  return request;
}

Request FindElement(const Element& element) {
  Request request = MakeElementMessage(NFT_MSG_GETSETELEM, 0, element.table, element.set);
  const Nest list(request, NFTA_SET_ELEM_LIST_ELEMENTS);
  const Nest item(request, NFTA_LIST_ELEM);
  PutValue(request, NFTA_SET_ELEM_KEY, element.key);
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
    elements.push_back({.key = ValueOf(element[NFTA_SET_ELEM_KEY]),
                        .key_end = ValueOf(element[NFTA_SET_ELEM_KEY_END]),
                        .data = ValueOf(element[NFTA_SET_ELEM_DATA]),
                        .comment = DecodeComment(netlink::Bytes(element[NFTA_SET_ELEM_USERDATA]))});
  });
  return elements;
}

size_t BytesOf(const Element& element) {
  constexpr size_t kHeaders = 48;  // of the item and its four parts, with padding
  return kHeaders + element.key.size() + element.key_end.size() + element.data.size() +
         element.comment.size();
}

bool IsSame(const Stored& stored, const Element& element) {
  return stored.key == element.key && stored.key_end == element.key_end;
}

bool Clash(const Element& a, const Element& b) {
  if (a.table != b.table || (a.set != b.set && a.rival != b.set)) return false;
  // Only the last field of a key is ever a range, so the order of bytes is the order of ports.
  return a.key <= LastKey(b) && b.key <= LastKey(a);
}

}  // namespace cnm::firewall::nftables
