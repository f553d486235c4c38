// port_proxy.h: the userland proxy, all of it in one thread of the daemon.
//
// Theory of operation: the packet filter leads nearly everything to a container before a socket is
// asked. What is left goes through here: a tcp connection is two sockets that are copied to each
// other until both sides have ended; an end is passed on, so that a client that has finished asking
// still gets its answer. For udp each client has a socket of its own towards the container, for 90
// s after its last datagram. All clients together get half of the descriptors that the process may
// have; whoever comes then is turned away. Nobody asks: nothing wakes up.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "cnm/ports/port_proxy.h"

namespace cnm::daemon {

/// The sockets that clients of all ports have made the proxy open: anybody may be one, and the
/// daemon needs descriptors for its own work. Of the thread.
struct Crowd {
  boost::asio::io_context& io;
  size_t most;
  size_t sockets = 0;
};

/// Sockets that are counted in a crowd as long as it lives.
class CrowdPlace {
 public:
  CrowdPlace(std::shared_ptr<Crowd> crowd, size_t sockets)
      : crowd_(std::move(crowd)), sockets_(sockets) {
    crowd_->sockets += sockets_;
  }
  CrowdPlace(const CrowdPlace&) = delete;
  CrowdPlace& operator=(const CrowdPlace&) = delete;
  ~CrowdPlace() { crowd_->sockets -= sockets_; }

 private:
  std::shared_ptr<Crowd> crowd_;
  size_t sockets_;
};

/// One port that is served. Lives in the thread of the io_context.
class Served {
 public:
  virtual ~Served() = default;
  virtual void Start() = 0;
  virtual void Stop() = 0;
};

class AsioPortProxy final : public PortProxy {
 public:
  /// Starts the thread, in the caller's netns.
  AsioPortProxy();
  AsioPortProxy(const AsioPortProxy&) = delete;
  AsioPortProxy& operator=(const AsioPortProxy&) = delete;
  ~AsioPortProxy() override;

  void Serve(const HostPort& port, Fd socket, const net::Address& target,
             uint16_t target_port) override;
  void Stop(const HostPort& port) override;

 private:
  void RunThere(const std::function<void()>& work);

  boost::asio::io_context io_{1};
  std::shared_ptr<Crowd> crowd_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::map<HostPort, std::shared_ptr<Served>> served_;  // of the thread
  std::thread thread_;
};

}  // namespace cnm::daemon
