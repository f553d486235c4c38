// proxied_tcp.cc: tcp connections of the userland proxy.
#include "cnm/daemon/proxied_tcp.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <set>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "common/base/error.h"

namespace cnm::daemon {
namespace {

using boost::asio::ip::tcp;
using ErrorCode = boost::system::error_code;

/// When no descriptor is left, say: others may end meanwhile.
constexpr std::chrono::seconds kPause{1};

/// Two sockets, each copied to the other.
class Relay : public std::enable_shared_from_this<Relay> {
 public:
  static constexpr size_t kSockets = 2;

  Relay(const std::shared_ptr<Crowd>& crowd, tcp::socket client)
      : place_(crowd, kSockets),
        sides_{Side{std::move(client), {}}, Side{tcp::socket(crowd->io), {}}} {}

  void Start(const tcp::endpoint& target) {
    sides_[1].socket.async_connect(target, [self = shared_from_this()](const ErrorCode& error) {
      if (error) return self->Close();
      for (const size_t side : {size_t{0}, size_t{1}}) {
        ErrorCode ignored;  // who vanished without a word is noticed after all
        self->sides_[side].socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
        self->Copy(side);
      }
    });
  }

  void Close() {
    for (Side& side : sides_) {
      ErrorCode ignored;
      side.socket.close(ignored);
    }
  }

 private:
  struct Side {
    tcp::socket socket;
    std::array<char, size_t{16} << 10> buffer;
  };

  /// From this side to the other, until it ends.
  void Copy(size_t from) {
    Side& side = sides_[from];
    side.socket.async_read_some(
        boost::asio::buffer(side.buffer),
        [self = shared_from_this(), from](const ErrorCode& error, size_t bytes) {
          if (error) return self->End(from, error);
          self->Pass(from, bytes);
        });
  }

  void Pass(size_t from, size_t bytes) {
    boost::asio::async_write(sides_[1 - from].socket,
                             boost::asio::buffer(sides_[from].buffer, bytes),
                             [self = shared_from_this(), from](const ErrorCode& error, size_t) {
                               if (error) return self->Close();
                               self->Copy(from);
                             });
  }

  void End(size_t from, const ErrorCode& error) {
    if (error != boost::asio::error::eof) return Close();
    ErrorCode ignored;
    sides_[1 - from].socket.shutdown(tcp::socket::shutdown_send, ignored);
  }

  CrowdPlace place_;
  std::array<Side, kSockets> sides_;
};

class Tcp : public Served, public std::enable_shared_from_this<Tcp> {
 public:
  Tcp(const std::shared_ptr<Crowd>& crowd, Fd socket, bool v4, tcp::endpoint target)
      : crowd_(crowd), acceptor_(crowd->io), pause_(crowd->io), target_(std::move(target)) {
    acceptor_.assign(v4 ? tcp::v4() : tcp::v6(), socket.Release());
  }

  void Start() override {
    acceptor_.async_accept([self = shared_from_this()](const ErrorCode& error, tcp::socket client) {
      if (!self->acceptor_.is_open()) return;
      if (error && error != boost::asio::error::connection_aborted) return self->Pause();
      if (!error) self->Serve(std::move(client));
      self->Start();
    });
  }

  void Stop() override {
    ErrorCode ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    for (const auto& relay : relays_) {
      if (const auto alive = relay.lock()) alive->Close();
    }
  }

 private:
  using WeakRelay = std::weak_ptr<Relay>;

  void Serve(tcp::socket client) {
    if (crowd_->sockets + Relay::kSockets > crowd_->most) return;  // closes the client's
    std::erase_if(relays_, [](const WeakRelay& relay) { return relay.expired(); });
    const auto relay = std::make_shared<Relay>(crowd_, std::move(client));
    relays_.insert(relay);
    relay->Start(target_);
  }

  void Pause() {
    pause_.expires_after(kPause);
    pause_.async_wait([self = shared_from_this()](const ErrorCode& error) {
      if (!error && self->acceptor_.is_open()) self->Start();
    });
  }

  std::shared_ptr<Crowd> crowd_;
  tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  tcp::endpoint target_;
  std::set<WeakRelay, std::owner_less<WeakRelay>> relays_;
};

}  // namespace

std::shared_ptr<Served> MakeTcp(const std::shared_ptr<Crowd>& crowd, Fd socket, bool v4,
                                const tcp::endpoint& target) {
  // Connections that it served before may linger; while it listens nobody else can bind the port.
  const int on = 1;
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::listen(socket.get(), SOMAXCONN) != 0) throw SystemError(Code::kKernel, "listen", errno);
  return std::make_shared<Tcp>(crowd, std::move(socket), v4, target);
}

}  // namespace cnm::daemon
