// channel.h: requests out, answers in, over one netlink file descriptor. Internal to common/netlink
// and to who shares it: the packet filter speaks to another kernel subsystem the same way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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

  /// A socket of the current netns and of this NETLINK_ protocol, unbound: the kernel gives it a
  /// port at the first send.
  /// @throws Error kKernel "open netlink socket: reason"
  static Channel Open(int protocol);
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

  /// Sends messages that lie end to end in `bytes`, numbered by the caller from NextSequence() on.
  /// @throws Error kKernel "WHAT: reason"
  void SendBytes(std::string_view what, std::span<const char> bytes);
  /// Reads one datagram: `visit` gets each of its messages and the bytes left from there on.
  /// @returns false if there is none
  bool ReadDatagram(std::string_view what,
                    const std::function<void(const nlmsghdr& message, size_t left)>& visit);
  /// Reserves `count` sequence numbers. @returns the first
  uint32_t NextSequence(uint32_t count);

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
  char* Buffer();
  std::optional<size_t> TryRead(std::string_view what);
  size_t Read(const Request& request);
  DumpPart TakeDumpPart(const Request& request, const Visit& visit);

  Fd fd_;
  uint32_t sequence_ = 0;  // of the last request sent
  std::unique_ptr<char[]>
      buffer_;  // at the first read; not zeroed: its pages are touched as needed
};

}  // namespace cnm::netlink
