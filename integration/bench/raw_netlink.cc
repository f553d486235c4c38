// Raw rtnetlink: see raw_netlink.h.
#include "integration/bench/raw_netlink.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

namespace cnm::bench {
namespace {

constexpr std::size_t kAnswerBytes = 16384;  // a link's whole description is under 4 KiB

}  // namespace

void Die(std::string_view what, int error) {
  fmt::print(stderr, "floor: {}: {}\n", what, std::strerror(error));
  std::exit(1);
}

void Batch::Append(const void* data, std::size_t size) {
  const char* bytes = static_cast<const char*>(data);
  bytes_.insert(bytes_.end(), bytes, bytes + size);
  bytes_.resize(NLMSG_ALIGN(bytes_.size()));
}

void Batch::BeginBytes(std::uint16_t type, std::uint16_t flags, const void* header,
                       std::size_t size) {
  Finish();
  message_ = bytes_.size();
  nlmsghdr head{};
  head.nlmsg_type = type;
  head.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
  head.nlmsg_seq = static_cast<std::uint32_t>(++count_);
  Append(&head, sizeof head);
  Append(header, size);
}

void Batch::Put(std::uint16_t type, const void* data, std::size_t size) {
  const rtattr head{.rta_len = static_cast<unsigned short>(RTA_LENGTH(size)), .rta_type = type};
  Append(&head, sizeof head);
  Append(data, size);
}

void Batch::Put(std::uint16_t type, std::string_view text) {
  Put(type, std::string(text).c_str(), text.size() + 1);
}

std::size_t Batch::Open(std::uint16_t type, std::size_t header_size) {
  const std::size_t start = bytes_.size();
  const rtattr head{.rta_len = 0, .rta_type = type};
  Append(&head, sizeof head);
  bytes_.resize(bytes_.size() + NLMSG_ALIGN(header_size));
  return start;
}

void Batch::Close(std::size_t start) {
  const auto length = static_cast<unsigned short>(bytes_.size() - start);
  std::memcpy(&bytes_[start + offsetof(rtattr, rta_len)], &length, sizeof length);
}

int Batch::Finish() {
  if (count_ > 0) {
    const auto length = static_cast<std::uint32_t>(bytes_.size() - message_);
    std::memcpy(&bytes_[message_ + offsetof(nlmsghdr, nlmsg_len)], &length, sizeof length);
  }
  return count_;
}

RouteSocket::RouteSocket() : fd_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) {
  if (fd_ < 0) Die("netlink socket", errno);
}

RouteSocket::~RouteSocket() {
  ::close(fd_);
}

void RouteSocket::Send(Batch& batch, std::string_view what) {
  batch.Finish();
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  iovec data{.iov_base = const_cast<char*>(batch.bytes().data()), .iov_len = batch.bytes().size()};
  msghdr message{};
  message.msg_name = &kernel;
  message.msg_namelen = sizeof kernel;
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (::sendmsg(fd_, &message, 0) < 0) Die(what, errno);
}

void RouteSocket::Run(Batch& batch, std::string_view what) {
  Send(batch, what);
  alignas(nlmsghdr) std::array<char, kAnswerBytes> answer;
  for (int left = batch.Finish(); left > 0;) {
    auto size = static_cast<int>(::recv(fd_, answer.data(), answer.size(), 0));
    if (size < 0) Die(what, errno);
    for (auto* head = reinterpret_cast<nlmsghdr*>(answer.data()); NLMSG_OK(head, size);
         head = NLMSG_NEXT(head, size)) {
      if (head->nlmsg_type != NLMSG_ERROR) continue;
      const int error = static_cast<const nlmsgerr*>(NLMSG_DATA(head))->error;
      if (error != 0) Die(fmt::format("{} (message {})", what, head->nlmsg_seq), -error);
      --left;
    }
  }
}

int RouteSocket::FindLink(std::string_view name) {
  Batch batch;
  batch.Begin(RTM_GETLINK, 0, ifinfomsg{});
  batch.Put(IFLA_IFNAME, name);
  Send(batch, "find link");
  int ifindex = 0;
  alignas(nlmsghdr) std::array<char, kAnswerBytes> answer;
  for (bool acknowledged = false; !acknowledged;) {
    auto size = static_cast<int>(::recv(fd_, answer.data(), answer.size(), 0));
    if (size < 0) Die("find link", errno);
    for (auto* head = reinterpret_cast<nlmsghdr*>(answer.data()); NLMSG_OK(head, size);
         head = NLMSG_NEXT(head, size)) {
      if (head->nlmsg_type == RTM_NEWLINK) {
        ifindex = static_cast<const ifinfomsg*>(NLMSG_DATA(head))->ifi_index;
      } else if (head->nlmsg_type == NLMSG_ERROR) {
        acknowledged = true;
        const int error = static_cast<const nlmsgerr*>(NLMSG_DATA(head))->error;
        if (error != 0) Die(fmt::format("find link {}", name), -error);
      }
    }
  }
  return ifindex;
}

}  // namespace cnm::bench
