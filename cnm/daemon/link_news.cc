// link_news.cc: the kernel's news about links that have gone.
#include "cnm/daemon/link_news.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "common/base/error.h"

namespace cnm::daemon {
namespace {

Fd OpenNews() {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK;
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    throw SystemError(Code::kKernel, "listen to link news", errno);
  }
  return fd;
}

/// Whether one of the messages in the datagram says that a link was removed. A bridge port that
/// left its bridge is told of in the same words, for family AF_BRIDGE.
bool TellsOfRemoval(const char* bytes, size_t size) {
  const auto* message = reinterpret_cast<const nlmsghdr*>(bytes);
  auto left = static_cast<unsigned>(size);
  for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
    const auto* link = static_cast<const ifinfomsg*>(NLMSG_DATA(message));
    if (message->nlmsg_type == RTM_DELLINK && link->ifi_family == AF_UNSPEC) return true;
  }
  return false;
}

}  // namespace

LinkNews::LinkNews(boost::asio::io_context& io, std::function<void()> gone)
    : gone_(std::move(gone)), socket_(io, OpenNews().Release()) {
  Wait();
}

void LinkNews::Stop() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void LinkNews::Wait() {
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [this](const boost::system::error_code& error) {
                       if (error) return;  // closed
                       if (ReadRemovals()) gone_();
                       Wait();
                     });
}

bool LinkNews::ReadRemovals() {
  alignas(nlmsghdr) std::array<char, 32768> bytes;
  bool removed = false;
  for (;;) {
    const ssize_t n = ::recv(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (n >= 0) {
      removed = TellsOfRemoval(bytes.data(), static_cast<size_t>(n)) || removed;
    } else if (errno == ENOBUFS) {
      removed = true;
    } else if (errno != EINTR) {
      return removed;
    }
  }
}

}  // namespace cnm::daemon
