// port_proxy.cc: the userland proxy: its thread, and what it serves.
#include "cnm/daemon/port_proxy.h"

#include <sys/resource.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <future>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>

#include "cnm/daemon/proxied_tcp.h"
#include "cnm/daemon/proxied_udp.h"

namespace cnm::daemon {
namespace {

namespace ip = boost::asio::ip;

ip::address ToAsio(const net::Address& address) {
  const auto bytes = address.bytes();
  if (address.is_v4()) {
    ip::address_v4::bytes_type v4{};
    std::copy(bytes.begin(), bytes.end(), v4.begin());
    return ip::address_v4(v4);
  }
  ip::address_v6::bytes_type v6{};
  std::copy(bytes.begin(), bytes.end(), v6.begin());
  return ip::address_v6(v6);
}

/// Half of the descriptors that the process may have.
size_t MostSockets() {
  constexpr size_t kUsual = 1024;
  rlimit limit{};
  const bool told = ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  return (told ? size_t{limit.rlim_cur} : kUsual) / 2;
}

}  // namespace

AsioPortProxy::AsioPortProxy()
    : crowd_(std::make_shared<Crowd>(Crowd{.io = io_, .most = MostSockets()})),
      work_(boost::asio::make_work_guard(io_)),
      thread_([this] { io_.run(); }) {}

AsioPortProxy::~AsioPortProxy() {
  RunThere([this] {
    for (const auto& [port, served] : served_) served->Stop();
    served_.clear();
  });
  work_.reset();
  thread_.join();
}

/// Waits until it is done: a socket that is still open would keep the port. Throws what it throws.
void AsioPortProxy::RunThere(const std::function<void()>& work) {
  std::packaged_task<void()> task(work);
  std::future<void> done = task.get_future();
  boost::asio::post(io_, [&task] { task(); });
  done.get();
}

void AsioPortProxy::Serve(const HostPort& port, Fd socket, const net::Address& target,
                          uint16_t target_port) {
  RunThere([&] {
    if (served_.contains(port)) return;
    const bool v4 = port.address.is_v4();
    std::shared_ptr<Served> served;
    if (port.protocol == firewall::Protocol::kTcp) {
      served = MakeTcp(crowd_, std::move(socket), v4, {ToAsio(target), target_port});
    } else if (port.protocol == firewall::Protocol::kUdp) {
      served = MakeUdp(crowd_, std::move(socket), v4, {ToAsio(target), target_port});
    } else {
      return;
    }
    served->Start();
    served_.emplace(port, std::move(served));
  });
}

void AsioPortProxy::Stop(const HostPort& port) {
  RunThere([&] {
    const auto served = served_.find(port);
    if (served == served_.end()) return;
    served->second->Stop();
    served_.erase(served);
  });
}

}  // namespace cnm::daemon
