// answer.cc: what the kernel's answers say.
#include "common/netlink/answer.h"

#include <linux/netlink.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "common/netlink/attributes.h"

namespace cnm::netlink {

int ErrnoOf(const nlmsghdr& message) {
  int error = 0;
  if (message.nlmsg_len >= NLMSG_HDRLEN + sizeof error) {
    std::memcpy(&error, NLMSG_DATA(&message), sizeof error);
  }
  return -error;
}

std::string WordsOf(const nlmsghdr& message, size_t received) {
  if ((message.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return "";
  // They lie behind the request's header, all that NETLINK_CAP_ACK returns of it.
  size_t offset = NLMSG_HDRLEN;
  if (message.nlmsg_type == NLMSG_DONE) {
    offset += sizeof(int);
  } else {
    const auto* const error = static_cast<const nlmsgerr*>(NLMSG_DATA(&message));
    const bool capped = (message.nlmsg_flags & NLM_F_CAPPED) != 0;
    offset += sizeof(int) + (capped ? size_t{NLMSG_HDRLEN} : NLMSG_ALIGN(error->msg.nlmsg_len));
  }
  const size_t end = std::min<size_t>(message.nlmsg_len, received);
  if (offset >= end) return "";
  const Attributes<NLMSGERR_ATTR_MSG> attributes(reinterpret_cast<const char*>(&message) + offset,
                                                 static_cast<int>(end - offset));
  return Text(attributes[NLMSGERR_ATTR_MSG]);
}

Error MakeError(const Request& request, const nlmsghdr& answer, size_t received) {
  Error error = SystemError(Code::kKernel, request.what(), ErrnoOf(answer));
  const std::string words = WordsOf(answer, received);
  if (words.empty()) return error;
  return Error(error.code(), fmt::format("{} ({})", error.message(), words));
}

int Outcome(const Request& request, const nlmsghdr& answer, size_t received) {
  const int error = ErrnoOf(answer);
  if (error == 0 || request.Tolerates(error)) return error;
  throw MakeError(request, answer, received);
}

}  // namespace cnm::netlink
