// stream.h: a connected socket, with TLS on it or without; private to client and server. What Beast
// and Asio read from and write to.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/system/error_code.hpp>

#include "common/http/tls.h"

namespace cnm::http {

/// An AsyncReadStream and AsyncWriteStream of Asio's. Whether TLS is on it is decided at run time:
/// one connection's code is compiled for both.
class Stream {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  using Tls = boost::asio::ssl::stream<Socket&>;
  using executor_type = Socket::executor_type;  // NOLINT(readability-identifier-naming): Asio's

  /// `tls` may be null: none.
  Stream(Socket socket, const TlsContext& tls) : socket_(std::move(socket)) {
    if (tls) tls_.emplace(socket_, *tls);
  }

  executor_type get_executor() { return socket_.get_executor(); }
  Socket& socket() { return socket_; }
  /// Null without TLS.
  Tls* tls() { return tls_ ? &*tls_ : nullptr; }
  /// Goes on without TLS. No operation is under way.
  void DropTls() { tls_.reset(); }

  template <class Buffers, class Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {  // NOLINT: as Asio calls it
    if (tls_) {
      tls_->async_read_some(buffers, std::forward<Handler>(handler));
    } else {
      socket_.async_read_some(buffers, std::forward<Handler>(handler));
    }
  }

  template <class Buffers, class Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {  // NOLINT: as Asio calls it
    if (tls_) {
      tls_->async_write_some(buffers, std::forward<Handler>(handler));
    } else {
      socket_.async_write_some(buffers, std::forward<Handler>(handler));
    }
  }

 private:
  Socket socket_;
  std::optional<Tls> tls_;
};

/// Whether TLS says so, rather than the connection.
bool IsOfTls(const boost::system::error_code& error);

/// Whether a handshake failed because the client began to speak HTTP.
bool IsPlainHttp(const boost::system::error_code& error);

/// The error's text.
std::string TlsMessage(const boost::system::error_code& error);

/// What is wrong with a connection, for people: "the other side's certificate: self-signed
/// certificate in certificate chain".
std::string TlsReason(const boost::system::error_code& error, Stream::Tls& tls);

}  // namespace cnm::http
