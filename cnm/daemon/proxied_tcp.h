// proxied_tcp.h: tcp connections of the userland proxy.
#pragma once

#include <memory>

#include <boost/asio/ip/tcp.hpp>

#include "cnm/daemon/port_proxy.h"

namespace cnm::daemon {

/// Accepts at the bound socket, of address family `v4` or IPv6, and connects to `target`.
/// @throws Error kKernel "listen: reason"
std::shared_ptr<Served> MakeTcp(const std::shared_ptr<Crowd>& crowd, Fd socket, bool v4,
                                const boost::asio::ip::tcp::endpoint& target);

}  // namespace cnm::daemon
