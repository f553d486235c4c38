// proxied_udp.cc: datagrams of the userland proxy.
#include "cnm/daemon/proxied_udp.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/steady_timer.hpp>

namespace cnm::daemon {
namespace {

using boost::asio::ip::udp;
using ErrorCode = boost::system::error_code;

constexpr std::chrono::seconds kSilence{90};  // libnetwork.md §23
constexpr size_t kLongest = 65507;            // of IPv4's 65535 bytes, less two headers
constexpr size_t kClients = 1024;             // of a port, as anybody can invent addresses

using Buffer = std::array<char, kLongest>;
using Answer = std::function<void(const char* data, size_t bytes)>;

/// One client's socket towards the container.
class Flow : public std::enable_shared_from_this<Flow> {
 public:
  Flow(const std::shared_ptr<Crowd>& crowd, Answer answer, std::function<void()> over)
      : place_(crowd, 1),
        socket_(crowd->io),
        silence_(crowd->io),
        answer_(std::move(answer)),
        over_(std::move(over)) {}

  /// @returns whether the container's address can be reached at all
  bool Start(const udp::endpoint& target) {
    ErrorCode error;
    socket_.connect(target, error);
    if (error) return false;
    Listen();
    return true;
  }

  void Send(const char* data, size_t bytes) {
    Rest();
    ErrorCode ignored;  // a datagram may get lost
    socket_.send(boost::asio::buffer(data, bytes), 0, ignored);
  }

  void Close() {
    ErrorCode ignored;
    socket_.close(ignored);
    silence_.cancel();
    answer_ = nullptr;
    over_ = nullptr;
  }

 private:
  void Rest() {
    silence_.expires_after(kSilence);
    silence_.async_wait([self = shared_from_this()](const ErrorCode& error) {
      if (!error && self->over_) self->over_();
    });
  }

  /// A port that nobody listens on is an error of the next call, and no end.
  void Listen() {
    socket_.async_wait(udp::socket::wait_read, [self = shared_from_this()](const ErrorCode& error) {
      if (error || !self->answer_) return;
      auto buffer = std::make_unique<Buffer>();
      ErrorCode failed;
      self->socket_.non_blocking(true, failed);
      const size_t bytes = self->socket_.receive(boost::asio::buffer(*buffer), 0, failed);
      if (!failed) {
        self->Rest();
        self->answer_(buffer->data(), bytes);
      }
      self->Listen();
    });
  }

  CrowdPlace place_;
  udp::socket socket_;
  boost::asio::steady_timer silence_;
  Answer answer_;
  std::function<void()> over_;
};

class Udp : public Served, public std::enable_shared_from_this<Udp> {
 public:
  Udp(const std::shared_ptr<Crowd>& crowd, Fd socket, bool v4, udp::endpoint target)
      : crowd_(crowd), socket_(crowd->io), target_(std::move(target)) {
    socket_.assign(v4 ? udp::v4() : udp::v6(), socket.Release());
    socket_.non_blocking(true);
  }

  void Start() override {
    socket_.async_receive_from(boost::asio::buffer(buffer_), client_,
                               [self = shared_from_this()](const ErrorCode& error, size_t bytes) {
                                 if (!self->socket_.is_open()) return;
                                 if (!error) self->Pass(bytes);
                                 self->Start();
                               });
  }

  void Stop() override {
    ErrorCode ignored;
    socket_.close(ignored);
    for (const auto& [client, flow] : flows_) flow->Close();
    flows_.clear();
  }

 private:
  void Pass(size_t bytes) {
    auto flow = flows_.find(client_);
    if (flow == flows_.end()) {
      if (flows_.size() >= kClients || crowd_->sockets >= crowd_->most) return;
      const std::shared_ptr<Flow> fresh = MakeFlow(client_);
      if (!fresh->Start(target_)) return fresh->Close();
      flow = flows_.emplace(client_, fresh).first;
    }
    flow->second->Send(buffer_.data(), bytes);
  }

  std::shared_ptr<Flow> MakeFlow(const udp::endpoint& client) {
    const std::weak_ptr<Udp> weak = weak_from_this();
    return std::make_shared<Flow>(
        crowd_,
        [weak, client](const char* data, size_t bytes) {
          const auto self = weak.lock();
          ErrorCode ignored;
          if (self) self->socket_.send_to(boost::asio::buffer(data, bytes), client, 0, ignored);
        },
        [weak, client] {
          const auto self = weak.lock();
          if (self) self->Forget(client);
        });
  }

  void Forget(const udp::endpoint& client) {
    const auto flow = flows_.find(client);
    if (flow == flows_.end()) return;
    const std::shared_ptr<Flow> ending = flow->second;
    flows_.erase(flow);
    ending->Close();
  }

  std::shared_ptr<Crowd> crowd_;
  udp::socket socket_;
  udp::endpoint target_;
  udp::endpoint client_;
  Buffer buffer_ = {};
  std::map<udp::endpoint, std::shared_ptr<Flow>> flows_;
};

}  // namespace

std::shared_ptr<Served> MakeUdp(const std::shared_ptr<Crowd>& crowd, Fd socket, bool v4,
                                const udp::endpoint& target) {
  return std::make_shared<Udp>(crowd, std::move(socket), v4, target);
}

}  // namespace cnm::daemon
