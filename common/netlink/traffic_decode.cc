// traffic_decode.cc: qdiscs, classes and filters as the kernel reports them.
#include "common/netlink/traffic_decode.h"

#include <arpa/inet.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <linux/tc_act/tc_mirred.h>

#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "common/netlink/attributes.h"

namespace cnm::netlink {
namespace {

/// The start of the bytes as a value; zeros where they are too short.
template <class Value>
Value StructIn(std::span<const uint8_t> bytes) {
  Value value{};
  if (bytes.size() >= sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

/// What qdiscs, classes and filters have in common; empty for a message of another type.
struct Parts {
  tcmsg header = {};
  Attributes<TCA_MAX> attributes{nullptr};
};

Parts PartsOf(const nlmsghdr& message, int type) {
  Parts parts;
  if (message.nlmsg_type != type || message.nlmsg_len < NLMSG_LENGTH(sizeof(tcmsg))) return parts;
  const auto* const header = static_cast<const tcmsg*>(NLMSG_DATA(&message));
  parts.header = *header;
  parts.attributes = Attributes<TCA_MAX>(
      header + 1, static_cast<int>(message.nlmsg_len - NLMSG_LENGTH(sizeof(tcmsg))));
  return parts;
}

TokenBucket DecodeTbf(const nlattr* nest) {
  const Attributes<TCA_TBF_MAX> options(nest);
  const auto parameters = StructIn<tc_tbf_qopt>(Bytes(options[TCA_TBF_PARMS]));
  return {.rate = NumberOr<uint64_t>(options[TCA_TBF_RATE64], parameters.rate.rate),
          .buffer = parameters.buffer,
          .limit = parameters.limit};
}

std::vector<FilterKey> DecodeKeys(std::span<const uint8_t> bytes) {
  std::vector<FilterKey> keys;
  const size_t count = StructIn<tc_u32_sel>(bytes).nkeys;
  if (bytes.size() < sizeof(tc_u32_sel) + count * sizeof(tc_u32_key)) return keys;
  bytes = bytes.subspan(sizeof(tc_u32_sel));
  for (size_t i = 0; i < count; ++i) {
    const auto key = StructIn<tc_u32_key>(bytes.subspan(i * sizeof(tc_u32_key)));
    keys.push_back({.offset = key.off, .value = ntohl(key.val), .mask = ntohl(key.mask)});
  }
  return keys;
}

/// Of the first action: behind a redirection nothing follows.
std::optional<int> DecodeRedirect(const nlattr* actions) {
  const Attributes<1> numbered(actions);
  const Attributes<TCA_ACT_MAX> action(numbered[1]);
  if (Text(action[TCA_ACT_KIND]) != "mirred") return {};
  const Attributes<TCA_MIRRED_MAX> options(action[TCA_ACT_OPTIONS]);
  const auto parameters = StructIn<tc_mirred>(Bytes(options[TCA_MIRRED_PARMS]));
  if (parameters.eaction != TCA_EGRESS_REDIR) return {};
  return static_cast<int>(parameters.ifindex);
}

}  // namespace

Qdisc DecodeQdisc(const nlmsghdr& message) {
  const Parts parts = PartsOf(message, RTM_NEWQDISC);
  Qdisc qdisc;
  qdisc.ifindex = parts.header.tcm_ifindex;
  qdisc.parent = parts.header.tcm_parent;
  qdisc.handle = parts.header.tcm_handle;
  qdisc.kind = Text(parts.attributes[TCA_KIND]);
  const nlattr* const options = parts.attributes[TCA_OPTIONS];
  if (qdisc.kind == "tbf") qdisc.bucket = DecodeTbf(options);
  if (qdisc.kind == "bfifo") qdisc.limit = StructIn<tc_fifo_qopt>(Bytes(options)).limit;
  if (qdisc.kind == "htb") {
    const Attributes<TCA_HTB_MAX> htb(options);
    const auto parameters = StructIn<tc_htb_glob>(Bytes(htb[TCA_HTB_INIT]));
    qdisc.default_class = static_cast<uint16_t>(parameters.defcls);
  }
  return qdisc;
}

TrafficClass DecodeClass(const nlmsghdr& message) {
  const Parts parts = PartsOf(message, RTM_NEWTCLASS);
  const Attributes<TCA_HTB_MAX> options(parts.attributes[TCA_OPTIONS]);
  const auto parameters = StructIn<tc_htb_opt>(Bytes(options[TCA_HTB_PARMS]));
  TrafficClass found;
  found.ifindex = parts.header.tcm_ifindex;
  found.parent = parts.header.tcm_parent;
  found.handle = parts.header.tcm_handle;
  found.bucket.rate = NumberOr<uint64_t>(options[TCA_HTB_RATE64], parameters.rate.rate);
  found.bucket.buffer = parameters.buffer;
  return found;
}

void DecodeFilter(const nlmsghdr& message, std::vector<Filter>& filters) {
  const Parts parts = PartsOf(message, RTM_NEWTFILTER);
  const std::string kind = Text(parts.attributes[TCA_KIND]);
  const Attributes<TCA_U32_MAX> options(parts.attributes[TCA_OPTIONS]);
  const bool is_u32 = kind == "u32";
  if (kind.empty() || (is_u32 && options[TCA_U32_SEL] == nullptr)) return;
  Filter filter;
  filter.ifindex = parts.header.tcm_ifindex;
  filter.parent = parts.header.tcm_parent;
  filter.handle = parts.header.tcm_handle;
  filter.priority = static_cast<uint16_t>(parts.header.tcm_info >> 16);
  filter.protocol = ntohs(static_cast<uint16_t>(parts.header.tcm_info));
  filter.kind = kind;
  if (is_u32) {
    filter.class_id = NumberOr<uint32_t>(options[TCA_U32_CLASSID], 0);
    filter.keys = DecodeKeys(Bytes(options[TCA_U32_SEL]));
    filter.redirect = DecodeRedirect(options[TCA_U32_ACT]);
  }
  filters.push_back(std::move(filter));
}

}  // namespace cnm::netlink
