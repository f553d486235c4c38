// request.h: one rtnetlink request, built and ready to be sent.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

struct nl_msg;

namespace cnm::netlink {

/// One netlink message with the words that name it in an error. Move-only.
class Request {
 public:
  /// `what` is "verb object", as in "create veth vethab12": an error reads "WHAT: File exists
  /// (extack text)".
  Request(std::string what, uint16_t type, uint16_t flags);
  Request(Request&&) noexcept;
  Request& operator=(Request&&) noexcept;
  ~Request();

  /// `err` (positive errno) from the kernel is not an error but is returned as the request's
  /// outcome.
  Request& Tolerate(int err) &;
  Request&& Tolerate(int err) &&;

  bool Tolerates(int err) const;
  const std::string& what() const { return what_; }
  nl_msg* message() const;

 private:
  struct Free {
    void operator()(nl_msg* message) const noexcept;
  };
  std::string what_;
  std::vector<int> tolerated_;
  std::unique_ptr<nl_msg, Free> message_;
};

}  // namespace cnm::netlink
