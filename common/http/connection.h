// connection.h: one client's connection; private to the server. The only header with Asio in it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/error_code.hpp>

#include "common/http/message.h"
#include "common/http/server.h"
#include "common/http/stream.h"

namespace cnm::http {

class Connection;

/// Where a connection's answers come from, and who wants to know when it ends.
struct ConnectionOwner {
  /// Runs the handler somewhere and calls `done` in the io thread.
  std::function<void(Request request, std::function<void(const Response&)> done)> dispatch;
  /// Called when the client's certificate is verified. @returns whether there is room for it
  std::function<bool(Connection*)> admit = {};
  std::function<void(Connection*)> closed;
  /// Says on stderr what a client without a certificate did.
  std::function<void(std::string_view)> warn = {};
  Limits limits;
};

/// Reads requests and writes answers until either side has enough. Lives as long as an operation of
/// its socket or timer is under way.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Socket = Stream::Socket;

  /// `tls` may be null: none.
  Connection(Socket socket, std::shared_ptr<const ConnectionOwner> owner,
             const TlsContext& tls = nullptr);

  /// Shakes hands if there is TLS, then serves requests.
  void Start();
  /// Answers this without reading a request, then closes.
  void Refuse(const Response& response);
  /// Closes now, or as soon as the answer under way is taken.
  void Stop();

 private:
  using ErrorCode = boost::system::error_code;
  using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;
  using Answer = boost::beast::http::response<boost::beast::http::string_body>;

  /// What is under way; decides what Stop and a timeout mean.
  enum class State { kShaking, kIdle, kReading, kHandling, kWriting, kDraining, kClosed };

  void Shake();
  void OnHandshakeFailure(ErrorCode error);
  void AwaitRequest();
  void ReadHeader();
  void OnHeader();
  void ReadBody();
  void OnReadFailure(ErrorCode error);
  void Dispatch();
  void Write(const Response& response);
  void OnWritten(ErrorCode error);
  void SayGoodbye();
  void Drain();
  void ReadAndDrop(size_t limit);
  void Close();
  void Arm(std::chrono::milliseconds time);
  void AwaitTimeout(std::chrono::milliseconds time);
  void OnTimeout();

  Stream stream_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<const ConnectionOwner> owner_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::optional<Answer> answer_;
  Peer peer_;
  State state_ = State::kIdle;
  bool timed_out_ = false;
  bool keep_alive_ = false;  // after the answer under way
  bool head_ = false;        // the request under way is HEAD
  unsigned version_ = 11;    // of the request under way
};

}  // namespace cnm::http
