// transaction.cc: nf_tables messages that the kernel carries out all or none.
#include "common/firewall/transaction.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <cerrno>

#include <netlink/msg.h>

#include "common/netlink/answer.h"
#include "common/netlink/attributes.h"

namespace cnm::firewall {
namespace {

constexpr std::string_view kWhat = "change nftables";

netlink::Request MakeMark(uint16_t type) {
  netlink::Request mark("", type, 0);
  netlink::AppendHeader(mark, nfgenmsg{AF_UNSPEC, NFNETLINK_V0, htons(NFNL_SUBSYS_NFTABLES)});
  return mark;
}

}  // namespace

Transaction::Transaction(std::optional<uint32_t> generation) {
  const netlink::Request begin = MakeMark(NFNL_MSG_BATCH_BEGIN);
  if (generation) netlink::PutNumber<uint32_t>(begin, NFNL_BATCH_GENID, htonl(*generation));
  Append(begin);
}

void Transaction::Append(const netlink::Request& message) {
  const nlmsghdr* const header = nlmsg_hdr(message.message());
  const char* const first = reinterpret_cast<const char*>(header);
  starts_.push_back(bytes_.size());
  bytes_.insert(bytes_.end(), first, first + header->nlmsg_len);
  bytes_.resize(NLMSG_ALIGN(bytes_.size()));
}

size_t Transaction::Add(const netlink::Request& message) {
  Append(message);
  return starts_.size() - 2;
}

std::vector<Refusal> Transaction::Commit(netlink::Channel& channel) && {
  const size_t last = starts_.size() - 1;
  Append(MakeMark(NFNL_MSG_BATCH_END));
  const uint32_t first = channel.NextSequence(static_cast<uint32_t>(starts_.size()));
  for (size_t i = 0; i < starts_.size(); ++i) {
    auto* const header = reinterpret_cast<nlmsghdr*>(bytes_.data() + starts_[i]);
    header->nlmsg_seq = first + static_cast<uint32_t>(i);
    // Failures are answered anyway; of successes only the last.
    if (i == last) header->nlmsg_flags |= NLM_F_ACK;
  }
  channel.SendBytes(kWhat, bytes_);
  std::vector<Refusal> refusals;
  bool answered = false;
  const auto take = [&](const nlmsghdr& message, size_t left) {
    const size_t index = message.nlmsg_seq - first;
    if (message.nlmsg_type != NLMSG_ERROR || index >= starts_.size()) return;
    answered = true;
    const int error = netlink::ErrnoOf(message);
    if (error == 0) return;
    refusals.push_back({index == 0 ? std::nullopt : std::optional(index - 1), error,
                        netlink::WordsOf(message, left)});
  };
  // Answers come in the order of the messages, so a good one for the last means that none was
  // refused.
  do {
    if (!channel.ReadDatagram(kWhat, take)) break;
  } while (!answered || !refusals.empty());
  if (!answered) throw Error(Code::kKernel, std::string(kWhat) + ": no answer");
  return refusals;
}

}  // namespace cnm::firewall
