// channel.h: requests out, answers in, over one netlink file descriptor. Internal to this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/fd.h"
#include "common/netlink/request.h"

struct nlmsghdr;

namespace cnm::netlink {

/// Sends messages and sorts out their answers. rtnetlink answers while the send lasts, so an answer
/// that is not there after it will never come: nothing here waits.
class Channel {
 public:
  using Visit = std::function<void(const nlmsghdr& message)>;

  /// A NETLINK_ROUTE socket of the current netns, unbound: the kernel gives it a port at the first
  /// send.
  /// @throws Error kKernel "open netlink socket: reason"
  static Channel Open();
  /// For tests: the far end is a fake kernel.
  explicit Channel(Fd fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }

  /// See Socket::Execute.
  std::vector<int> Execute(std::span<const Request> requests);

  /// Asks for one object: `visit` gets it. @returns 0 or the tolerated errno. @throws Error kKernel
  int Ask(const Request& request, const Visit& visit);

  /// Asks for a list: `visit` gets each message, after `restart` has dropped what an interrupted
  /// attempt had brought.
  /// @returns 0 or the tolerated errno. @throws Error kKernel, also when 5 attempts in a row were
  /// interrupted by changes
  int Dump(const Request& request, const std::function<void()>& restart, const Visit& visit);

  /// Discards what has arrived: notifications nobody asks about any more.
  void Drain();

 private:
  /// What one datagram of a dump brought.
  struct DumpPart {
    bool end = false;
    bool interrupted = false;
    int outcome = 0;
  };

  uint32_t Send(std::span<const Request> requests);
  void ReadAcks(std::span<const Request> requests, uint32_t first, std::span<int> outcomes);
  size_t Read(const Request& request);
  DumpPart TakeDumpPart(const Request& request, const Visit& visit);

  Fd fd_;
  uint32_t sequence_ = 0;  // of the last request sent
  std::vector<char> buffer_;
};

}  // namespace cnm::netlink
