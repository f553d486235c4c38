// filter.cc: traffic control filters: requests and questions.
#include "common/netlink/filter.h"

#include <arpa/inet.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <netlink/msg.h>

#include "common/netlink/attributes.h"
#include "common/netlink/channel.h"
#include "common/netlink/traffic_decode.h"

namespace cnm::netlink {
namespace {

constexpr int kSourceV4 = 12;  // RFC 791
constexpr int kDestinationV4 = 16;
constexpr int kSourceV6 = 8;  // RFC 8200
constexpr int kDestinationV6 = 24;

/// The mask of the word that `left` bits of a prefix reach into.
uint32_t MaskOf(int left) {
  if (left >= 32) return UINT32_MAX;
  return left <= 0 ? 0 : UINT32_MAX << (32 - left);
}

std::vector<FilterKey> MatchAddress(const net::Prefix& subnet, int offset) {
  std::vector<FilterKey> keys;
  const std::span<const uint8_t> bytes = subnet.address.bytes();
  for (int at = 0; at * 8 < subnet.length; at += 4) {
    uint32_t word;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    const uint32_t mask = MaskOf(subnet.length - at * 8);
    keys.push_back({.offset = offset + at, .value = ntohl(word) & mask, .mask = mask});
  }
  return keys.empty() ? MatchAll() : keys;
}

Request MakeRequest(std::string what, uint16_t type, const Filter& filter) {
  Request request(std::move(what), type, 0);
  tcmsg header{};
  header.tcm_family = AF_UNSPEC;
  header.tcm_ifindex = filter.ifindex;
  header.tcm_parent = filter.parent;
  header.tcm_handle = filter.handle;
  header.tcm_info = (uint32_t{filter.priority} << 16) | htons(filter.protocol);
  AppendHeader(request, header);
  return request;
}

void PutKeys(const Request& request, const std::vector<FilterKey>& keys) {
  std::vector<uint8_t> bytes(sizeof(tc_u32_sel) + keys.size() * sizeof(tc_u32_key));
  tc_u32_sel selector{};
  selector.flags = TC_U32_TERMINAL;
  selector.nkeys = static_cast<uint8_t>(keys.size());
  std::memcpy(bytes.data(), &selector, sizeof selector);
  uint8_t* at = bytes.data() + sizeof selector;
  for (const FilterKey& key : keys) {
    tc_u32_key words{};
    words.mask = htonl(key.mask);
    words.val = htonl(key.value);
    words.off = key.offset;
    std::memcpy(at, &words, sizeof words);
    at += sizeof words;
  }
  Put(request, TCA_U32_SEL, bytes);
}

void PutRedirect(const Request& request, int ifindex) {
  const Nest actions(request, TCA_U32_ACT);
  const Nest first(request, 1);
  PutText(request, TCA_ACT_KIND, "mirred");
  const Nest options(request, TCA_ACT_OPTIONS);
  tc_mirred parameters{};
  parameters.action = TC_ACT_STOLEN;
  parameters.eaction = TCA_EGRESS_REDIR;
  parameters.ifindex = static_cast<uint32_t>(ifindex);
  Put(request, TCA_MIRRED_PARMS,
      {reinterpret_cast<const uint8_t*>(&parameters), sizeof parameters});
}

}  // namespace

std::vector<FilterKey> MatchAll() {
  return {FilterKey{}};
}

std::vector<FilterKey> MatchSource(const net::Prefix& subnet) {
  return MatchAddress(subnet, subnet.address.is_v4() ? kSourceV4 : kSourceV6);
}

std::vector<FilterKey> MatchDestination(const net::Prefix& subnet) {
  return MatchAddress(subnet, subnet.address.is_v4() ? kDestinationV4 : kDestinationV6);
}

Request AddFilter(const Filter& filter) {
  Request request =
      MakeRequest(fmt::format("add filter to link {}", filter.ifindex), RTM_NEWTFILTER, filter);
  nlmsg_hdr(request.message())->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
  PutText(request, TCA_KIND, filter.kind);
  const Nest options(request, TCA_OPTIONS);
  PutNumber(request, TCA_U32_CLASSID, filter.class_id);
  PutKeys(request, filter.keys);
  if (filter.redirect) PutRedirect(request, *filter.redirect);
  return request;
}

Request RemoveFilter(const Filter& filter) {
  Request request =
      MakeRequest(fmt::format("remove filter of link {}", filter.ifindex), RTM_DELTFILTER, filter);
  PutText(request, TCA_KIND, filter.kind);
  // No such filter; no such qdisc; no such link.
  request.Tolerate(ENOENT).Tolerate(EINVAL).Tolerate(ENODEV);
  return request;
}

std::vector<Filter> Filters(Socket& socket, int ifindex, uint32_t parent) {
  Filter place;
  place.ifindex = ifindex;
  place.parent = parent;
  Request question =
      MakeRequest(fmt::format("list filters of link {}", ifindex), RTM_GETTFILTER, place);
  question.Tolerate(ENOENT).Tolerate(EINVAL).Tolerate(ENODEV);
  std::vector<Filter> filters;
  socket.channel().Dump(
      question, [&] { filters.clear(); },
      [&](const nlmsghdr& message) { DecodeFilter(message, filters); });
  // It reports the qdisc as parent, whichever of its hooks was asked about.
  for (Filter& filter : filters) filter.parent = parent;
  return filters;
}

}  // namespace cnm::netlink
