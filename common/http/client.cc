// client.cc: an HTTP/1.1 client for one request at a time.
#include "common/http/client.h"

#include <sys/un.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/system/system_error.hpp>

#include "common/base/error.h"
#include "common/http/stream.h"

namespace cnm::http {
namespace {

namespace asio = boost::asio;
namespace beast_http = boost::beast::http;
using ErrorCode = boost::system::error_code;
using Endpoint = asio::generic::stream_protocol::endpoint;
using std::chrono::milliseconds;

constexpr milliseconds kFirstRetry{1'000};
constexpr milliseconds kLongestRetry{30'000};
constexpr unsigned kFirstFinalStatus = 200;

std::string ToText(const ServerAddress& server) {
  if (!server.unix_path.empty()) return "unix://" + server.unix_path;
  const bool v6 = server.host.find(':') != std::string::npos;
  return fmt::format(fmt::runtime(v6 ? "tcp://[{}]:{}" : "tcp://{}:{}"), server.host, server.port);
}

/// The addresses to try in turn.
std::vector<Endpoint> Resolve(asio::io_context& io, const ServerAddress& server, ErrorCode& error) {
  if (!server.unix_path.empty()) {
    if (server.unix_path.size() >= sizeof(sockaddr_un{}.sun_path)) {
      error = asio::error::name_too_long;
      return {};
    }
    return {Endpoint(asio::local::stream_protocol::endpoint(server.unix_path))};
  }
  std::vector<Endpoint> endpoints;
  asio::ip::tcp::resolver resolver(io);
  for (const auto& found : resolver.resolve(server.host, server.port, error)) {
    endpoints.emplace_back(found.endpoint());
  }
  return endpoints;
}

/// One attempt: connect, write, read, all against one deadline.
class Exchange {
 public:
  Exchange(const ServerAddress& server, const Request& request, const CallLimits& limits)
      : limits_(limits),
        timer_(io_),
        stream_(Stream::Socket(io_),
                server.unix_path.empty() && server.tls ? MakeClientTls(*server.tls) : nullptr) {
    if (stream_.tls() != nullptr) ExpectName(server.host, server.tls->verify);
    endpoints_ = Resolve(io_, server, error_);
    FillRequest(server, request);
    BeginAnswer();  // after the request: the answer to a HEAD has no body
  }

  /// Returns when there is an answer or a reason why not.
  void Run() {
    if (error_) return;
    timer_.expires_after(limits_.exchange);
    timer_.async_wait([this](ErrorCode error) {
      if (error) return;
      timed_out_ = true;
      ErrorCode ignored;
      stream_.socket().close(ignored);
    });
    Connect(0);
    io_.run();
  }

  bool timed_out() const { return timed_out_; }
  bool connected() const { return connected_; }
  const ErrorCode& error() const { return error_; }
  Response TakeResponse();
  /// What the error means, for people.
  std::string Reason() {
    return stream_.tls() == nullptr ? error_.message() : TlsReason(error_, *stream_.tls());
  }

 private:
  void ExpectName(const std::string& host, bool verify);
  void FillRequest(const ServerAddress& server, const Request& request);
  void Connect(size_t index);
  void OnConnected();
  void Write();
  void BeginAnswer();
  void Read();
  void ReadBody();
  void End(ErrorCode error) {
    error_ = error;
    timer_.cancel();
  }

  const CallLimits& limits_;
  asio::io_context io_{1};
  asio::steady_timer timer_;
  Stream stream_;
  std::vector<Endpoint> endpoints_;
  beast_http::request<beast_http::string_body> request_;
  boost::beast::flat_buffer buffer_;
  std::optional<beast_http::response_parser<beast_http::string_body>> parser_;
  ErrorCode error_;
  bool connected_ = false;
  bool timed_out_ = false;
};

void Exchange::FillRequest(const ServerAddress& server, const Request& request) {
  request_.version(11);
  request_.method_string(request.method);
  request_.target(request.target);
  request_.set(beast_http::field::host, server.unix_path.empty()
                                            ? ToText(server).substr(std::size("tcp://") - 1)
                                            : "localhost");
  for (const Header& header : request.headers) request_.set(header.name, header.value);
  request_.keep_alive(false);
  request_.body() = request.body;
  if (!request.body.empty() || request.method == "POST") {
    request_.content_length(request.body.size());
  }
}

void Exchange::Connect(size_t index) {
  if (index == endpoints_.size()) {
    End(error_ ? error_ : ErrorCode(asio::error::host_not_found));
    return;
  }
  ErrorCode ignored;
  stream_.socket().close(ignored);
  stream_.socket().async_connect(endpoints_[index], [this, index](ErrorCode error) {
    error_ = error;
    if (timed_out_) return;
    if (error) {
      Connect(index + 1);
    } else {
      connected_ = true;
      OnConnected();
    }
  });
}

void Exchange::ExpectName(const std::string& host, bool verify) {
  if (verify) stream_.tls()->set_verify_callback(asio::ssl::host_name_verification(host));
  ErrorCode not_numeric;
  asio::ip::make_address(host, not_numeric);
  // RFC 6066 §3: the name, so that the server can choose its certificate; never an address.
  if (not_numeric) SSL_set_tlsext_host_name(stream_.tls()->native_handle(), host.c_str());
}

void Exchange::OnConnected() {
  if (stream_.tls() == nullptr) {
    Write();
    return;
  }
  stream_.tls()->async_handshake(Stream::Tls::client, [this](ErrorCode error) {
    if (error) {
      End(error);
    } else {
      Write();
    }
  });
}

void Exchange::Write() {
  beast_http::async_write(stream_, request_, [this](ErrorCode error, size_t) {
    // A server that refuses a large body closes before it was sent, and its answer says why.
    if (error && error != asio::error::broken_pipe && error != asio::error::connection_reset) {
      End(error);
    } else {
      Read();
    }
  });
}

void Exchange::BeginAnswer() {
  parser_.emplace();
  parser_->header_limit(static_cast<uint32_t>(limits_.header_bytes));
  parser_->body_limit(limits_.body_bytes);
  if (request_.method() == beast_http::verb::head) parser_->skip(true);
}

void Exchange::Read() {
  // In two steps: reading both at once, Beast 1.74 forgets that a Content-Length is over the limit.
  beast_http::async_read_header(stream_, buffer_, *parser_, [this](ErrorCode error, size_t) {
    if (error) {
      End(error);
    } else if (parser_->get().result_int() < kFirstFinalStatus) {
      BeginAnswer();  // any number of interim answers may come first (RFC 9110 §15.2)
      Read();
    } else {
      ReadBody();
    }
  });
}

void Exchange::ReadBody() {
  if (parser_->is_done()) {
    End({});
    return;
  }
  beast_http::async_read(stream_, buffer_, *parser_,
                         [this](ErrorCode error, size_t) { End(error); });
}

Response Exchange::TakeResponse() {
  beast_http::response<beast_http::string_body> answer = parser_->release();
  Response response{.status = answer.result_int(), .body = std::move(answer.body())};
  for (const auto& field : answer) {
    response.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  return response;
}

/// Why the exchange brought no answer.
Error Failure(Exchange& exchange, const ServerAddress& server, const CallLimits& limits) {
  const std::string call = "call " + ToText(server);
  if (exchange.timed_out()) {
    const auto seconds = std::chrono::duration<double>(limits.exchange).count();
    return {Code::kUnavailable, fmt::format("{}: no answer after {:g} s", call, seconds)};
  }
  const std::string reason = exchange.Reason();
  if (!exchange.connected()) {
    return {Code::kUnavailable, fmt::format("{}: connect: {}", call, reason)};
  }
  if (IsOfTls(exchange.error())) {
    return {Code::kUnavailable, fmt::format("{}: TLS: {}", call, reason)};
  }
  const auto& parser_errors = beast_http::make_error_code(beast_http::error::bad_method).category();
  if (exchange.error() == beast_http::error::end_of_stream ||
      exchange.error().category() != parser_errors) {
    return {Code::kUnavailable, fmt::format("{}: no answer: {}", call, reason)};
  }
  return {Code::kDecode, fmt::format("{}: bad answer: {}", call, reason)};
}

void Wait(milliseconds time) {
  asio::io_context io(1);
  asio::steady_timer timer(io, time);
  timer.wait();
}

}  // namespace

Response Call(const ServerAddress& server, const Request& request, const CallLimits& limits) {
  const auto start = std::chrono::steady_clock::now();
  for (milliseconds pause = kFirstRetry;; pause = std::min(2 * pause, kLongestRetry)) {
    Exchange exchange(server, request, limits);
    exchange.Run();
    if (!exchange.error() && !exchange.timed_out()) return exchange.TakeResponse();
    const auto next = std::chrono::steady_clock::now() - start + pause;
    if (exchange.connected() || next >= limits.connect_retry) {
      throw Failure(exchange, server, limits);
    }
    Wait(pause);
  }
}

}  // namespace cnm::http
