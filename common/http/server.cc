// server.cc: accepting connections, and running their handlers on worker threads.
#include "common/http/server.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/rate_limit.h"
#include "common/http/connection.h"

namespace cnm::http {
namespace {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;
using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;

// Clients that may be told at once that there are too many; others are closed in silence.
constexpr size_t kTurnedAway = 32;
// Handshakes under way at once.
constexpr size_t kStrangers = 64;
// Lines about failed handshakes: anybody can bring them about.
constexpr unsigned kWarningsAtOnce = 20;
constexpr std::chrono::seconds kWarningEvery{10};
// Before the next try when there is no descriptor or memory left: no event tells when there is.
constexpr std::chrono::milliseconds kAcceptPause{100};

Response Answer(const Handler& handler, const Request& request) {
  try {
    return handler(request);
  } catch (const std::exception& e) {
    return TextResponse(500, e.what());
  }
}

/// One listening socket.
struct Listener {
  Listener(asio::io_context& io, TlsContext context)
      : acceptor(io), pause(io), tls(std::move(context)) {}
  Acceptor acceptor;
  asio::steady_timer pause;
  TlsContext tls;
};

}  // namespace

/// The server's state; what is under way in the io_context keeps it alive.
class Server::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(asio::io_context& io, Handler handler, Limits limits, IsBrief is_brief)
      : io_(io),
        handler_(std::move(handler)),
        limits_(limits),
        is_brief_(std::move(is_brief)),
        workers_(limits.workers) {
    if (is_brief_) reserve_.emplace(1);
  }

  void Listen(Fd socket, TlsContext tls);
  void Stop();
  void Join() {
    workers_.join();
    if (reserve_) reserve_->join();
  }
  size_t connections() const { return connections_.size(); }
  asio::io_context& io() const { return io_; }

 private:
  void Accept(Listener& listener);
  void OnAccepted(Connection::Socket socket, const TlsContext& tls);
  void Shake(const std::shared_ptr<Connection>& connection);
  bool Admit(Connection* connection);
  void Dispatch(Request request, std::function<void(const Response&)> done);
  void WarnOf(std::string_view what);
  void Work(asio::thread_pool& pool, Request request, std::function<void(const Response&)> done);
  std::shared_ptr<const ConnectionOwner> Owner();

  asio::io_context& io_;
  const Handler handler_;
  const Limits limits_;
  const IsBrief is_brief_;
  asio::thread_pool workers_;
  std::optional<asio::thread_pool> reserve_;
  size_t waited_for_ = 0;  // requests that the workers have, or have before them
  std::list<Listener> listeners_;
  std::map<Connection*, std::shared_ptr<Connection>> connections_;
  std::map<Connection*, std::shared_ptr<Connection>> turned_away_;
  std::list<std::shared_ptr<Connection>> strangers_;  // in a handshake, the oldest first
  std::shared_ptr<const ConnectionOwner> owner_;
  RateLimit warnings_{kWarningsAtOnce, kWarningEvery};
  bool stopped_ = false;
};

void Server::Core::Listen(Fd socket, TlsContext tls) {
  Listener& listener = listeners_.emplace_back(io_, std::move(tls));
  int family = AF_UNSPEC;
  socklen_t size = sizeof(family);
  ErrorCode error;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_DOMAIN, &family, &size) != 0) {
    error = ErrorCode(errno, boost::system::system_category());
  } else {
    listener.acceptor.assign({family, 0}, socket.get(), error);
  }
  if (error) {
    listeners_.pop_back();
    throw SystemError(Code::kIo, "listen", error.value());
  }
  socket.Release();
  Accept(listener);
}

void Server::Core::Accept(Listener& listener) {
  listener.acceptor.async_accept(
      io_, [self = shared_from_this(), &listener](ErrorCode error, Connection::Socket socket) {
        if (self->stopped_) return;
        if (!error) self->OnAccepted(std::move(socket), listener.tls);
        if (!error || error == asio::error::connection_aborted) {
          self->Accept(listener);
          return;
        }
        listener.pause.expires_after(kAcceptPause);
        listener.pause.async_wait([self, &listener](ErrorCode) {
          if (!self->stopped_) self->Accept(listener);
        });
      });
}

void Server::Core::OnAccepted(Connection::Socket socket, const TlsContext& tls) {
  ErrorCode ignored;  // a unix socket has no such option
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  if (tls) {
    Shake(std::make_shared<Connection>(std::move(socket), Owner(), tls));
    return;
  }
  const bool room = connections_.size() < limits_.connections;
  if (!room && turned_away_.size() >= kTurnedAway) return;
  const auto connection = std::make_shared<Connection>(std::move(socket), Owner());
  if (room) {
    connections_.emplace(connection.get(), connection);
    connection->Start();
  } else {
    turned_away_.emplace(connection.get(), connection);
    connection->Refuse(TextResponse(503, "too many connections"));
  }
}

void Server::Core::Shake(const std::shared_ptr<Connection>& connection) {
  if (strangers_.size() >= kStrangers) {
    const std::shared_ptr<Connection> oldest = strangers_.front();
    oldest->Stop();  // takes itself out
  }
  strangers_.push_back(connection);
  connection->Start();
}

bool Server::Core::Admit(Connection* connection) {
  const auto known = std::find_if(strangers_.begin(), strangers_.end(),
                                  [&](const auto& one) { return one.get() == connection; });
  const bool room = connections_.size() < limits_.connections;
  (room ? connections_ : turned_away_).emplace(connection, *known);
  strangers_.erase(known);
  return room;
}

std::shared_ptr<const ConnectionOwner> Server::Core::Owner() {
  if (owner_ != nullptr) return owner_;
  auto owner = std::make_shared<ConnectionOwner>();
  owner->limits = limits_;
  owner->dispatch = [core = weak_from_this()](Request request,
                                              std::function<void(const Response&)> done) {
    if (const auto self = core.lock()) self->Dispatch(std::move(request), std::move(done));
  };
  owner->admit = [core = weak_from_this()](Connection* connection) {
    const auto self = core.lock();
    return self && self->Admit(connection);
  };
  owner->closed = [core = weak_from_this()](Connection* connection) {
    if (const auto self = core.lock()) {
      self->strangers_.remove_if([&](const auto& one) { return one.get() == connection; });
      self->connections_.erase(connection);
      self->turned_away_.erase(connection);
    }
  };
  owner->warn = [core = weak_from_this()](std::string_view what) {
    if (const auto self = core.lock()) self->WarnOf(what);
  };
  owner_ = std::move(owner);
  return owner_;
}

void Server::Core::WarnOf(std::string_view what) {
  const std::optional<uint64_t> left_out = warnings_.Take();
  if (!left_out) return;
  Warn(*left_out == 0
           ? std::string(what)
           : fmt::format("{} (before it {} more lines of this kind, left out)", what, *left_out));
}

void Server::Core::Dispatch(Request request, std::function<void(const Response&)> done) {
  if (waited_for_ >= limits_.workers && is_brief_ && is_brief_(request)) {
    Work(*reserve_, std::move(request), std::move(done));
    return;
  }
  ++waited_for_;
  Work(workers_, std::move(request),
       [core = weak_from_this(), done = std::move(done)](const Response& response) {
         if (const auto self = core.lock()) --self->waited_for_;
         done(response);
       });
}

void Server::Core::Work(asio::thread_pool& pool, Request request,
                        std::function<void(const Response&)> done) {
  // The guard keeps the io_context running until the answer is in its queue.
  asio::post(pool, [this, request = std::move(request), done = std::move(done),
                    work = asio::make_work_guard(io_)]() mutable {
    Response response = Answer(handler_, request);
    asio::post(io_, [done = std::move(done), response = std::move(response)] { done(response); });
  });
}

void Server::Core::Stop() {
  if (std::exchange(stopped_, true)) return;
  for (Listener& listener : listeners_) {
    ErrorCode ignored;
    listener.acceptor.close(ignored);
    listener.pause.cancel();
  }
  const auto connections = connections_;  // they take themselves out as they close
  for (const auto& [key, connection] : connections) connection->Stop();
  const auto strangers = strangers_;
  for (const auto& connection : strangers) connection->Stop();
  const auto turned_away = turned_away_;
  for (const auto& [key, connection] : turned_away) connection->Stop();
}

Server::Server(asio::io_context& io, Handler handler, Limits limits, IsBrief is_brief)
    : core_(std::make_shared<Core>(io, std::move(handler), limits, std::move(is_brief))) {}

Server::~Server() {
  core_->Stop();
  core_->Join();
}

void Server::Listen(Fd socket, TlsContext tls) {
  core_->Listen(std::move(socket), std::move(tls));
}

void Server::Stop() {
  asio::post(core_->io(), [core = core_] { core->Stop(); });
}

size_t Server::connections() const {
  return core_->connections();
}

}  // namespace cnm::http
