// proxied_udp.h: datagrams of the userland proxy.
#pragma once

#include <memory>

#include <boost/asio/ip/udp.hpp>

#include "cnm/daemon/port_proxy.h"

namespace cnm::daemon {

/// Receives at the bound socket, of address family `v4` or IPv6, and sends on to `target`; answers
/// go back to whoever asked.
std::shared_ptr<Served> MakeUdp(const std::shared_ptr<Crowd>& crowd, Fd socket, bool v4,
                                const boost::asio::ip::udp::endpoint& target);

}  // namespace cnm::daemon
