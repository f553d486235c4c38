// server.h: an HTTP/1.1 server on sockets that listen.
//
// Theory of operation: one thread runs the io_context, in which all connections live; it never
// blocks. A handler does block (kernel requests, file locks, other programs), so each runs on a
// small pool of worker threads; the answer comes back to the io thread, which writes it. So slow
// clients cost no thread and slow handlers stop no client. Requests that nothing can keep waiting
// have a worker in reserve for when all others are taken, by plugins that do not answer, say.
// Without connections nothing is armed: no timer, no wake-up.
//
// A connection reads one request, answers it, then reads the next (so pipelined requests are
// answered in order). Whatever a client does wrong is answered where that can be told apart from
// silence, and then its connection is closed:
//
//   400 malformed, or cut short            413 body too large        431 header too large
//   408 a request that takes too long      417 unknown expectation   501 unknown transfer coding
//   503 too many connections               505 not HTTP/1.0 or 1.1
//
// With TLS a client is nobody until its handshake is done: it takes no place among the connections,
// and of those who are at it the oldest gives way to a new one. So nobody without a certificate
// keeps those who have one out.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "common/base/fd.h"
#include "common/http/message.h"
#include "common/http/tls.h"

namespace boost::asio {
class io_context;
}

namespace cnm::http {

/// What a client may use up.
struct Limits {
  size_t header_bytes = size_t{16} << 10;            ///< request line and fields
  size_t body_bytes = size_t{4} << 20;               ///< decoded
  std::chrono::milliseconds handshake_time{10'000};  ///< of TLS
  std::chrono::milliseconds request_time{30'000};    ///< from a request's first byte to its last
  std::chrono::milliseconds answer_time{30'000};     ///< until the client has taken the answer
  std::chrono::milliseconds idle_time{120'000};      ///< without a request; then closed silently
  size_t connections = 256;                          ///< at once
  unsigned workers = 4;                              ///< threads, thus handlers at once
};

/// Answers one request; called by several worker threads at once. What it throws becomes status 500
/// with the exception's text.
using Handler = std::function<Response(const Request&)>;
/// Whether a request's handler waits for nobody. Called in the io thread.
using IsBrief = std::function<bool(const Request&)>;

/// The server. All functions are for the thread of the io_context, except Stop.
class Server {
 public:
  /// `io` outlives the server. Starts the workers, and with `is_brief` the one in reserve.
  Server(boost::asio::io_context& io, Handler handler, Limits limits = {}, IsBrief is_brief = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  /// Waits for handlers that run; their answers are lost unless `io` ran until it had no more work.
  ~Server();

  /// Accepts connections from a listening stream socket of any family (listen.h), with TLS if `tls`
  /// is not null. @throws Error kIo
  void Listen(Fd socket, TlsContext tls = nullptr);

  /// Stops: listens no more, closes idle connections and those whose request is incomplete, lets
  /// handlers finish and their answers be taken. When that is done, the server has no more work in
  /// `io`, whose run() then returns if nothing else is in it. Any thread; twice is once.
  void Stop();

  /// Connections now, without those that are in a handshake or being turned away.
  size_t connections() const;

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace cnm::http
