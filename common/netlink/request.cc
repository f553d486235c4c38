// request.cc: one rtnetlink request, built and ready to be sent.
#include "common/netlink/request.h"

#include <algorithm>
#include <utility>

#include <netlink/msg.h>

#include "common/base/error.h"

namespace cnm::netlink {
namespace {

/// Room for the largest request there is: a veth pair or an alias of 255 bytes, in one small
/// allocation.
constexpr size_t kMessageBytes = 1024;

}  // namespace

Request::Request(std::string what, uint16_t type, uint16_t flags)
    : what_(std::move(what)), message_(nlmsg_alloc_size(kMessageBytes)) {
  if (message_ == nullptr ||
      nlmsg_put(message_.get(), 0, 0, type, 0, NLM_F_REQUEST | flags) == nullptr) {
    throw Error(Code::kInternal, what_ + ": no memory for a message");
  }
}

Request::Request(Request&&) noexcept = default;
Request& Request::operator=(Request&&) noexcept = default;
Request::~Request() = default;

Request& Request::Tolerate(int err) & {
  tolerated_.push_back(err);
  return *this;
}

Request&& Request::Tolerate(int err) && {
  return std::move(Tolerate(err));
}

bool Request::Tolerates(int err) const {
  return std::find(tolerated_.begin(), tolerated_.end(), err) != tolerated_.end();
}

nl_msg* Request::message() const {
  return message_.get();
}

void Request::Free::operator()(nl_msg* message) const noexcept {
  nlmsg_free(message);
}

}  // namespace cnm::netlink
