// qdisc.cc: queueing disciplines and their classes: requests and questions.
#include "common/netlink/qdisc.h"

#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "common/netlink/attributes.h"
#include "common/netlink/channel.h"
#include "common/netlink/traffic_decode.h"

namespace cnm::netlink {
namespace {

constexpr uint16_t kCreate = NLM_F_CREATE | NLM_F_EXCL;
constexpr uint32_t kHtbVersion = 3;
constexpr uint32_t kDirectPackets = 1000;  // what never waits long still needs room
constexpr uint32_t kQuantum = 60000;       // of an only class it means nothing

tcmsg MakeHeader(int ifindex, uint32_t parent, uint32_t handle) {
  tcmsg header{};
  header.tcm_family = AF_UNSPEC;
  header.tcm_ifindex = ifindex;
  header.tcm_parent = parent;
  header.tcm_handle = handle;
  return header;
}

template <class Value>
void PutStruct(const Request& request, int type, const Value& value) {
  Put(request, type, {reinterpret_cast<const uint8_t*>(&value), sizeof value});
}

/// The part of a rate that fits in 32 bits; a larger one is all ones, and told in full beside it.
tc_ratespec RateOf(const TokenBucket& bucket) {
  tc_ratespec rate{};
  rate.rate = static_cast<uint32_t>(std::min<uint64_t>(bucket.rate, UINT32_MAX));
  return rate;
}

void PutTbf(const Request& request, const TokenBucket& bucket) {
  const Nest options(request, TCA_OPTIONS);
  tc_tbf_qopt parameters{};
  parameters.rate = RateOf(bucket);
  parameters.limit = bucket.limit;
  parameters.buffer = bucket.buffer;
  PutStruct(request, TCA_TBF_PARMS, parameters);
  if (bucket.rate > UINT32_MAX) PutNumber(request, TCA_TBF_RATE64, bucket.rate);
}

void PutHtb(const Request& request, uint16_t default_class) {
  const Nest options(request, TCA_OPTIONS);
  tc_htb_glob parameters{};
  parameters.version = kHtbVersion;
  parameters.rate2quantum = 10;
  parameters.defcls = default_class;
  PutStruct(request, TCA_HTB_INIT, parameters);
  // By default it is the link's txqueuelen, which is 0 for ours.
  PutNumber(request, TCA_HTB_DIRECT_QLEN, kDirectPackets);
}

/// An answer to a GET comes to who asked only with ECHO before Linux 6.6. Of a queue whose qdisc
/// was removed the kernel says nothing at all: only the ACK then ends the waiting.
Request MakeQuestion(std::string what, uint16_t type, const tcmsg& header) {
  Request question(std::move(what), type, NLM_F_ECHO | NLM_F_ACK);
  AppendHeader(question, header);
  // No such qdisc; a default one, of which the kernel does not speak; no such link.
  question.Tolerate(ENOENT).Tolerate(EINVAL).Tolerate(ENODEV);
  return question;
}

}  // namespace

Request AddQdisc(const Qdisc& qdisc) {
  Request request(fmt::format("create {} qdisc on link {}", qdisc.kind, qdisc.ifindex),
                  RTM_NEWQDISC, kCreate);
  AppendHeader(request, MakeHeader(qdisc.ifindex, qdisc.parent, qdisc.handle));
  PutText(request, TCA_KIND, qdisc.kind);
  if (qdisc.kind == "tbf") PutTbf(request, qdisc.bucket);
  if (qdisc.kind == "htb") PutHtb(request, qdisc.default_class);
  if (qdisc.kind == "bfifo") PutStruct(request, TCA_OPTIONS, tc_fifo_qopt{.limit = qdisc.limit});
  return request;
}

Request RemoveQdisc(const Qdisc& qdisc) {
  Request request(fmt::format("remove {} qdisc of link {}", qdisc.kind, qdisc.ifindex),
                  RTM_DELQDISC, 0);
  AppendHeader(request, MakeHeader(qdisc.ifindex, qdisc.parent, qdisc.handle));
  request.Tolerate(ENOENT).Tolerate(EINVAL).Tolerate(ENODEV);
  return request;
}

std::optional<Qdisc> FindQdisc(Socket& socket, int ifindex, uint32_t parent) {
  const Request question = MakeQuestion(fmt::format("find qdisc of link {}", ifindex), RTM_GETQDISC,
                                        MakeHeader(ifindex, parent, 0));
  std::optional<Qdisc> qdisc;
  socket.channel().Ask(question, [&](const nlmsghdr& message) { qdisc = DecodeQdisc(message); });
  if (qdisc && qdisc->handle == 0) return std::nullopt;  // the kernel's default
  return qdisc;
}

Request AddClass(const TrafficClass& traffic_class) {
  const TokenBucket& bucket = traffic_class.bucket;
  Request request(fmt::format("create traffic class on link {}", traffic_class.ifindex),
                  RTM_NEWTCLASS, kCreate);
  AppendHeader(request,
               MakeHeader(traffic_class.ifindex, traffic_class.parent, traffic_class.handle));
  PutText(request, TCA_KIND, "htb");
  const Nest options(request, TCA_OPTIONS);
  tc_htb_opt parameters{};
  parameters.rate = parameters.ceil = RateOf(bucket);
  parameters.buffer = parameters.cbuffer = bucket.buffer;
  parameters.quantum = kQuantum;
  PutStruct(request, TCA_HTB_PARMS, parameters);
  if (bucket.rate > UINT32_MAX) {
    PutNumber(request, TCA_HTB_RATE64, bucket.rate);
    PutNumber(request, TCA_HTB_CEIL64, bucket.rate);
  }
  return request;
}

std::optional<TrafficClass> FindClass(Socket& socket, int ifindex, uint32_t handle) {
  const Request question = MakeQuestion(fmt::format("find traffic class of link {}", ifindex),
                                        RTM_GETTCLASS, MakeHeader(ifindex, 0, handle));
  std::optional<TrafficClass> found;
  socket.channel().Ask(question, [&](const nlmsghdr& message) { found = DecodeClass(message); });
  return found;
}

}  // namespace cnm::netlink
