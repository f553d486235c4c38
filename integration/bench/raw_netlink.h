// Raw rtnetlink, as thin as it can be: messages built in one flat buffer, one send, one wait for
// the acknowledgements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cnm::bench {

/// Prints `what: strerror(error)` on stderr and ends the process with status 1. `error` is an errno
/// value.
[[noreturn]] void Die(std::string_view what, int error);

/// A sequence of netlink messages, sent to the kernel as one datagram. Every message asks for an
/// acknowledgement.
class Batch {
 public:
  /// Begins a message of `type` (RTM_*) with `flags` (NLM_F_* beside NLM_F_REQUEST|NLM_F_ACK) and a
  /// family header.
  template <class Header>
  void Begin(std::uint16_t type, std::uint16_t flags, const Header& header) {
    BeginBytes(type, flags, &header, sizeof header);
  }

  /// Appends an attribute holding `size` bytes.
  void Put(std::uint16_t type, const void* data, std::size_t size);
  /// Appends an attribute holding `value` in host byte order.
  void Put(std::uint16_t type, std::uint32_t value) { Put(type, &value, sizeof value); }
  /// Appends an attribute holding `text` and its final NUL.
  void Put(std::uint16_t type, std::string_view text);

  /// Opens a nested attribute; `header_size` zero bytes follow it (IFLA_INFO_DATA's peer begins
  /// with an ifinfomsg).
  /// @returns what Close() wants.
  std::size_t Open(std::uint16_t type, std::size_t header_size = 0);
  /// Ends the nested attribute that Open() began.
  void Close(std::size_t start);

  /// Ends the last message. @returns how many messages there are.
  int Finish();
  /// The bytes to send. Finish() must have been called.
  const std::vector<char>& bytes() const { return bytes_; }

 private:
  void BeginBytes(std::uint16_t type, std::uint16_t flags, const void* header, std::size_t size);
  void Append(const void* data, std::size_t size);

  std::vector<char> bytes_;
  std::size_t message_ = 0;  // where the message under construction starts
  int count_ = 0;
};

/// A NETLINK_ROUTE socket of the network namespace in which it was made.
class RouteSocket {
 public:
  RouteSocket();
  ~RouteSocket();
  RouteSocket(const RouteSocket&) = delete;
  RouteSocket& operator=(const RouteSocket&) = delete;

  /// Sends the batch and waits until the kernel has acknowledged each message; a refused one ends
  /// the process, saying `what` and why.
  void Run(Batch& batch, std::string_view what);
  /// The ifindex of the link `name`. One RTM_GETLINK; ends the process if there is none.
  int FindLink(std::string_view name);

 private:
  void Send(Batch& batch, std::string_view what);

  int fd_;
};

}  // namespace cnm::bench
