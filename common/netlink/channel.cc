// channel.cc: requests out, answers in, over one netlink file descriptor.
#include "common/netlink/channel.h"

#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "common/base/error.h"
#include "common/netlink/answer.h"

namespace cnm::netlink {
namespace {

constexpr size_t kBufferBytes = 32768;  // the largest part of a dump the kernel makes
constexpr size_t kUsualSend = 100000;   // bytes that the default send buffer surely takes
constexpr size_t kAckBytes = 512;       // an ack with its extack text; the request is left out
constexpr size_t kBatch = kBufferBytes / kAckBytes;
constexpr int kDumpAttempts = 5;
constexpr int kNoAnswer = -1;

/// Calls until it is not interrupted by a signal.
template <class SystemCall>
auto Retry(const SystemCall& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// Whether the datagram came from the kernel, not from another process.
bool FromKernel(const sockaddr_nl& sender) {
  return sender.nl_family != AF_NETLINK || sender.nl_pid == 0;
}

/// Takes many acks with one system call: each datagram is one ack.
class AckSlots {
 public:
  void Prepare(char* buffer, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      parts_.at(i) = {buffer + i * kAckBytes, kAckBytes};
      datagrams_.at(i).msg_hdr = {
          &senders_.at(i), sizeof(sockaddr_nl), &parts_.at(i), 1, nullptr, 0, 0};
    }
  }

  /// @returns how many came; -1 with errno
  int Receive(int fd, size_t count) {
    return ::recvmmsg(fd, datagrams_.data(), static_cast<unsigned>(count), MSG_DONTWAIT, nullptr);
  }

  size_t BytesAt(size_t i) const { return datagrams_.at(i).msg_len; }

  /// Null when the datagram is something else.
  const nlmsghdr* AckAt(size_t i) const {
    if (!FromKernel(senders_.at(i)) || BytesAt(i) < NLMSG_HDRLEN + sizeof(int)) return nullptr;
    const auto* const header = static_cast<const nlmsghdr*>(parts_.at(i).iov_base);
    return header->nlmsg_type == NLMSG_ERROR ? header : nullptr;
  }

 private:
  std::array<mmsghdr, kBatch> datagrams_{};
  std::array<sockaddr_nl, kBatch> senders_{};
  std::array<iovec, kBatch> parts_;
};

/// Calls `visit(header, bytes left)` for each message of a datagram until it returns false.
template <class Each>
void ForEachMessage(const char* datagram, size_t bytes, const Each& visit) {
  int left = static_cast<int>(bytes);
  for (auto* header = reinterpret_cast<nlmsghdr*>(const_cast<char*>(datagram));
       left >= NLMSG_HDRLEN; header = nlmsg_next(header, &left)) {
    if (!visit(*header, static_cast<size_t>(left))) return;
  }
}

void TurnOn(const Fd& fd, int option) {
  // A kernel without the option answers more tersely or filters less; both are handled where
  // answers are read.
  const int on = 1;
  (void)::setsockopt(fd.get(), SOL_NETLINK, option, &on, sizeof on);
}

}  // namespace

Channel Channel::Open(int protocol) {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
  if (!fd) throw SystemError(Code::kKernel, "open netlink socket", errno);
  TurnOn(fd, NETLINK_EXT_ACK);
  TurnOn(fd, NETLINK_CAP_ACK);
  if (protocol == NETLINK_ROUTE) TurnOn(fd, NETLINK_GET_STRICT_CHK);
  return Channel(std::move(fd));
}

uint32_t Channel::Send(std::span<const Request> requests) {
  const uint32_t first = sequence_ + 1;
  std::array<iovec, kBatch> parts;
  size_t count = 0;
  for (const Request& request : requests) {
    nlmsghdr* const header = nlmsg_hdr(request.message());
    header->nlmsg_seq = ++sequence_;
    parts.at(count++) = {header, header->nlmsg_len};
  }
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = count;
  if (Retry([&] { return ::sendmsg(fd_.get(), &message, 0); }) < 0) {
    throw SystemError(Code::kKernel, requests.front().what(), errno);
  }
  return first;
}

void Channel::ReadAcks(std::span<const Request> requests, uint32_t first, std::span<int> outcomes) {
  AckSlots slots;
  std::optional<Error> failure;
  for (size_t missing = requests.size(); missing > 0;) {
    slots.Prepare(Buffer(), missing);
    const int count = Retry([&] { return slots.Receive(fd_.get(), missing); });
    if (count < 0) throw Error(Code::kKernel, requests.front().what() + ": no answer");
    for (size_t i = 0; i < static_cast<size_t>(count); ++i) {
      const nlmsghdr* const ack = slots.AckAt(i);
      if (ack == nullptr) continue;
      const size_t index = ack->nlmsg_seq - first;
      if (index >= requests.size()) continue;
      --missing;
      outcomes[index] = ErrnoOf(*ack);
      if (outcomes[index] == 0 || requests[index].Tolerates(outcomes[index])) continue;
      if (!failure) failure = MakeError(requests[index], *ack, slots.BytesAt(i));
    }
  }
  if (failure) throw *failure;
}

std::vector<int> Channel::Execute(std::span<const Request> requests) {
  std::vector<int> outcomes(requests.size(), kNoAnswer);
  for (size_t done = 0; done < requests.size(); done += kBatch) {
    const auto batch = requests.subspan(done, std::min(kBatch, requests.size() - done));
    for (const Request& request : batch) nlmsg_hdr(request.message())->nlmsg_flags |= NLM_F_ACK;
    const uint32_t first = Send(batch);
    ReadAcks(batch, first, std::span(outcomes).subspan(done, batch.size()));
  }
  return outcomes;
}

char* Channel::Buffer() {
  if (buffer_ == nullptr) buffer_ = std::make_unique_for_overwrite<char[]>(kBufferBytes);
  return buffer_.get();
}

/// Reads one datagram of the kernel's into the buffer. @returns its bytes; nullopt if there is none
std::optional<size_t> Channel::TryRead(std::string_view what) {
  sockaddr_nl sender{};
  iovec part{Buffer(), kBufferBytes};
  msghdr datagram{&sender, sizeof sender, &part, 1, nullptr, 0, 0};
  while (true) {
    const ssize_t bytes =
        Retry([&] { return ::recvmsg(fd_.get(), &datagram, MSG_DONTWAIT | MSG_TRUNC); });
    if (bytes < 0 && errno == EAGAIN) return {};
    if (bytes < 0) throw SystemError(Code::kKernel, fmt::format("{}: no answer", what), errno);
    if (static_cast<size_t>(bytes) > kBufferBytes) {
      throw Error(Code::kKernel, fmt::format("{}: an answer of {} bytes", what, bytes));
    }
    if (FromKernel(sender)) return static_cast<size_t>(bytes);
  }
}

size_t Channel::Read(const Request& request) {
  const std::optional<size_t> bytes = TryRead(request.what());
  if (!bytes) throw Error(Code::kKernel, request.what() + ": no answer");
  return *bytes;
}

void Channel::SendBytes(std::string_view what, std::span<const char> bytes) {
  // The default buffer limits one message to 208 KiB; without the right to raise it the kernel says
  // so below.
  const int room = static_cast<int>(2 * bytes.size());
  if (bytes.size() > kUsualSend) {
    (void)::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
  }
  if (Retry([&] { return ::send(fd_.get(), bytes.data(), bytes.size(), 0); }) < 0) {
    throw SystemError(Code::kKernel, what, errno);
  }
}

bool Channel::ReadDatagram(std::string_view what,
                           const std::function<void(const nlmsghdr&, size_t)>& visit) {
  const std::optional<size_t> bytes = TryRead(what);
  if (!bytes) return false;
  ForEachMessage(Buffer(), *bytes, [&](const nlmsghdr& message, size_t left) {
    visit(message, left);
    return true;
  });
  return true;
}

uint32_t Channel::NextSequence(uint32_t count) {
  const uint32_t first = sequence_ + 1;
  sequence_ += count;
  return first;
}

int Channel::Ask(const Request& request, const Visit& visit) {
  const uint32_t sequence = Send({&request, 1});
  std::optional<int> outcome;
  while (!outcome) {
    const size_t bytes = Read(request);
    ForEachMessage(Buffer(), bytes, [&](const nlmsghdr& message, size_t left) {
      if (message.nlmsg_seq != sequence) return true;
      outcome = 0;
      if (message.nlmsg_type == NLMSG_ERROR) {
        outcome = Outcome(request, message, left);
      } else {
        visit(message);
      }
      return false;
    });
  }
  return *outcome;
}

Channel::DumpPart Channel::TakeDumpPart(const Request& request, const Visit& visit) {
  DumpPart part;
  const size_t bytes = Read(request);
  ForEachMessage(Buffer(), bytes, [&](const nlmsghdr& message, size_t left) {
    if (message.nlmsg_seq != sequence_) return true;
    part.interrupted |= (message.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
    part.end = message.nlmsg_type == NLMSG_DONE || message.nlmsg_type == NLMSG_ERROR;
    if (part.end) {
      part.outcome = Outcome(request, message, left);
    } else {
      visit(message);
    }
    return !part.end;
  });
  return part;
}

int Channel::Dump(const Request& request, const std::function<void()>& restart,
                  const Visit& visit) {
  nlmsg_hdr(request.message())->nlmsg_flags |= NLM_F_DUMP;
  for (int attempt = 0; attempt < kDumpAttempts; ++attempt) {
    restart();
    Send({&request, 1});
    DumpPart part;
    bool interrupted = false;
    while (!part.end) {
      part = TakeDumpPart(request, visit);
      interrupted |= part.interrupted;
    }
    if (!interrupted) return part.outcome;
  }
  throw Error(Code::kKernel,
              fmt::format("{}: interrupted by changes {} times", request.what(), kDumpAttempts));
}

void Channel::Drain() {
  // ENOBUFS says that notifications were lost: there may be more behind it.
  const auto read = [&] { return ::recv(fd_.get(), Buffer(), kBufferBytes, MSG_DONTWAIT); };
  while (Retry(read) >= 0 || errno == ENOBUFS) {
  }
}

}  // namespace cnm::netlink
