// answer.h: what the kernel's answers say. Internal to common/netlink and to who shares its
// channel.
#pragma once

#include <cstddef>
#include <string>

#include "common/base/error.h"
#include "common/netlink/request.h"

struct nlmsghdr;

namespace cnm::netlink {

/// The errno in an NLMSG_ERROR or NLMSG_DONE message, positive; 0 = success.
int ErrnoOf(const nlmsghdr& message);

/// The kernel's own words in one of `received` bytes; "" if there are none.
std::string WordsOf(const nlmsghdr& message, size_t received);

/// "WHAT: File exists (the kernel's own words)".
Error MakeError(const Request& request, const nlmsghdr& answer, size_t received);

/// The outcome an answer tells: 0 or a tolerated errno. @throws Error kKernel for others
int Outcome(const Request& request, const nlmsghdr& answer, size_t received);

}  // namespace cnm::netlink
