// connection.cc: one client's connection, from its first byte to its last.
#include "common/http/connection.h"

#include <sys/socket.h>

#include <utility>

#include <fmt/format.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include "common/http/wire.h"

namespace cnm::http {
namespace {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;

// How long, and for how many bytes, a client that still sends may read our last words: closing
// earlier would reset the connection and take them away. Two kernels alone hold 10 MiB for it
// (net.ipv4.tcp_wmem and tcp_rmem), and many clients read nothing until they have sent all.
constexpr std::chrono::milliseconds kDrainTime{5000};
constexpr size_t kDrainBytes = size_t{16} << 20;
constexpr size_t kDrainAtOnce = size_t{64} << 10;

constexpr std::chrono::milliseconds kCancelAgain{50};

// Of a request's first bytes: what an idle connection sets aside for them.
constexpr size_t kFirstBytes = 512;

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

Connection::Connection(Socket socket, std::shared_ptr<const ConnectionOwner> owner,
                       const TlsContext& tls)
    : stream_(std::move(socket), tls), timer_(stream_.get_executor()), owner_(std::move(owner)) {
  peer_ = PeerOf(stream_.socket().native_handle());
  peer_.tls = tls != nullptr;
}

void Connection::Start() {
  if (stream_.tls() != nullptr) {
    Shake();
  } else {
    AwaitRequest();
  }
}

void Connection::Shake() {
  state_ = State::kShaking;
  Arm(owner_->limits.handshake_time);
  stream_.tls()->async_handshake(Stream::Tls::server, [self = shared_from_this()](ErrorCode error) {
    if (self->state_ == State::kClosed) return;
    if (error) {
      self->OnHandshakeFailure(error);
    } else if (self->owner_->admit(self.get())) {
      self->AwaitRequest();
    } else {
      self->Refuse(TextResponse(503, "too many connections"));
    }
  });
}

void Connection::OnHandshakeFailure(ErrorCode error) {
  const bool gone = !IsOfTls(error);  // one that looks whether somebody listens, for example
  if (!gone) {
    owner_->warn(
        fmt::format("{}: TLS handshake: {}", peer_.address, TlsReason(error, *stream_.tls())));
  }
  stream_.DropTls();  // the alert, if any, is sent
  if (gone) {
    Close();
  } else if (IsPlainHttp(error)) {
    Refuse(TextResponse(400, "this port wants TLS (https) and a client certificate"));
  } else {
    state_ = State::kDraining;
    Arm(kDrainTime);
    Drain();
  }
}

void Connection::Refuse(const Response& response) {
  keep_alive_ = false;
  Write(response);
}

void Connection::Stop() {
  if (state_ == State::kHandling || state_ == State::kWriting) {
    keep_alive_ = false;
  } else if (state_ != State::kClosed) {
    Close();
  }
}

void Connection::AwaitRequest() {
  parser_.emplace();
  parser_->header_limit(static_cast<uint32_t>(owner_->limits.header_bytes));
  parser_->body_limit(owner_->limits.body_bytes);
  if (buffer_.size() > 0) {  // pipelined
    ReadHeader();
    return;
  }
  buffer_.shrink_to_fit();  // an idle connection costs little
  state_ = State::kIdle;
  Arm(owner_->limits.idle_time);
  stream_.async_read_some(buffer_.prepare(kFirstBytes),
                          [self = shared_from_this()](ErrorCode error, size_t size) {
                            if (self->state_ == State::kClosed) return;
                            self->buffer_.commit(size);
                            if (error || self->timed_out_) {
                              self->Close();
                            } else {
                              self->ReadHeader();
                            }
                          });
}

void Connection::ReadHeader() {
  state_ = State::kReading;
  Arm(owner_->limits.request_time);
  beast_http::async_read_header(stream_, buffer_, *parser_,
                                [self = shared_from_this()](ErrorCode error, size_t) {
                                  if (self->state_ == State::kClosed) return;
                                  if (error || self->timed_out_) {
                                    self->OnReadFailure(error);
                                  } else {
                                    self->OnHeader();
                                  }
                                });
}

void Connection::OnHeader() {
  const auto& request = parser_->get();
  version_ = request.version();
  head_ = request.method() == beast_http::verb::head;
  keep_alive_ = false;
  if (const std::optional<Response> refusal = Refusal(request)) {
    Write(*refusal);
    return;
  }
  keep_alive_ = parser_->keep_alive();
  if (parser_->is_done()) {
    Dispatch();
  } else if (version_ < 11 || request.find(beast_http::field::expect) == request.end()) {
    ReadBody();
  } else {
    asio::async_write(stream_, asio::buffer(kContinue.data(), kContinue.size()),
                      [self = shared_from_this()](ErrorCode error, size_t) {
                        if (self->state_ == State::kClosed) return;
                        if (error) {
                          self->Close();
                        } else {
                          self->ReadBody();
                        }
                      });
  }
}

void Connection::ReadBody() {
  beast_http::async_read(stream_, buffer_, *parser_,
                         [self = shared_from_this()](ErrorCode error, size_t) {
                           if (self->state_ == State::kClosed) return;
                           if (error) {
                             self->OnReadFailure(error);
                           } else {
                             self->Dispatch();
                           }
                         });
}

void Connection::OnReadFailure(ErrorCode error) {
  keep_alive_ = false;
  head_ = false;
  version_ = 11;
  if (timed_out_) {
    Write(TextResponse(408, "request timeout"));
  } else if (const std::optional<Response> refusal = RefusalOf(error)) {
    Write(*refusal);
  } else {
    Close();
  }
}

void Connection::Dispatch() {
  state_ = State::kHandling;
  timer_.cancel();
  Request request = TakeRequest(parser_->release(), peer_);
  owner_->dispatch(std::move(request), [self = shared_from_this()](const Response& response) {
    if (self->state_ != State::kClosed) self->Write(response);
  });
}

void Connection::Write(const Response& response) {
  state_ = State::kWriting;
  Arm(owner_->limits.answer_time);
  answer_ = MakeAnswer(response, {.version = version_, .keep_alive = keep_alive_, .head = head_});
  beast_http::async_write(stream_, *answer_, [self = shared_from_this()](ErrorCode error, size_t) {
    self->OnWritten(error);
  });
}

void Connection::OnWritten(ErrorCode error) {
  if (state_ == State::kClosed) return;
  answer_.reset();
  if (error) {
    Close();
  } else if (keep_alive_) {
    AwaitRequest();
  } else {
    SayGoodbye();
  }
}

void Connection::SayGoodbye() {
  state_ = State::kDraining;
  parser_.reset();
  Arm(kDrainTime);
  if (stream_.tls() == nullptr) {
    Drain();
    return;
  }
  // Fails where the client goes on sending, or goes without a word.
  stream_.tls()->async_shutdown([self = shared_from_this()](ErrorCode) {
    if (self->state_ == State::kClosed) return;
    self->stream_.DropTls();
    self->Drain();
  });
}

void Connection::Drain() {
  ErrorCode ignored;
  stream_.socket().shutdown(Socket::shutdown_send, ignored);
  ReadAndDrop(kDrainBytes);
}

void Connection::ReadAndDrop(size_t limit) {
  buffer_.clear();
  stream_.async_read_some(buffer_.prepare(kDrainAtOnce),
                          [self = shared_from_this(), limit](ErrorCode error, size_t size) {
                            if (self->state_ == State::kClosed) return;
                            if (error || size >= limit) {
                              self->Close();
                            } else {
                              self->ReadAndDrop(limit - size);
                            }
                          });
}

void Connection::Close() {
  state_ = State::kClosed;
  timer_.cancel();
  ErrorCode ignored;
  stream_.socket().close(ignored);
  owner_->closed(this);
}

void Connection::Arm(std::chrono::milliseconds time) {
  timed_out_ = false;
  AwaitTimeout(time);
}

void Connection::AwaitTimeout(std::chrono::milliseconds time) {
  timer_.expires_after(time);
  timer_.async_wait([self = shared_from_this()](ErrorCode error) {
    // Armed anew or cancelled, perhaps too late to be called off.
    if (error || self->state_ == State::kClosed || self->state_ == State::kHandling) return;
    if (self->timer_.expiry() <= std::chrono::steady_clock::now()) self->OnTimeout();
  });
}

void Connection::OnTimeout() {
  timed_out_ = true;
  if (state_ != State::kReading) {
    if (state_ == State::kShaking) {
      owner_->warn(fmt::format("{}: TLS handshake: timeout", peer_.address));
    }
    Close();
    return;
  }
  ErrorCode ignored;
  stream_.socket().cancel(ignored);  // what was being read fails, and is answered
  // A read of several steps may just have been between two of them.
  AwaitTimeout(kCancelAgain);
}

}  // namespace cnm::http
