// http_test_server.h: a server on a thread of its own, and raw clients, for tests over real
// sockets.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "common/base/fd.h"
#include "common/http/listen.h"
#include "common/http/server.h"
#include "tests/common/base/child_process.h"

namespace cnm::http {

/// A door that a test opens: handlers wait at it.
class Gate {
 public:
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void Pass() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait_for(lock, std::chrono::seconds(20), [this] { return open_; });
  }
  /// Waits until so many handlers have come to the gate.
  bool AwaitWaiting(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return waiting_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int waiting_ = 0;
};

/// A server on a unix socket, its io_context in a thread; stopped and joined when destroyed.
class TestServer {
 public:
  TestServer(const std::string& path, Handler handler, Limits limits = {}, IsBrief is_brief = {})
      : server_(io_, std::move(handler), limits, std::move(is_brief)) {
    server_.Listen(ListenUnix({.path = path}));
    thread_ = std::thread([this] {
      io_.run();
      ended_ = true;
    });
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;
  ~TestServer() {
    server_.Stop();
    thread_.join();
  }
  void Stop() { server_.Stop(); }
  /// Whether the io_context has run out of work within 20 s.
  bool AwaitEnd() const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!ended_ && std::chrono::steady_clock::now() < deadline) {
      ::poll(nullptr, 0, 5);
    }
    return ended_;
  }

 private:
  boost::asio::io_context io_{1};
  Server server_;
  std::thread thread_;
  std::atomic<bool> ended_ = false;
};

/// A client that sends and receives bytes.
class RawClient {
 public:
  explicit RawClient(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    connected_ =
        ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  bool connected() const { return connected_; }
  /// @returns false when the server has closed; what it answered says why
  bool Send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }
  /// Whether the server closes within 20 s, while nothing it sent is read.
  bool AwaitClose() const {
    pollfd closed{fd_.get(), 0, 0};
    return ::poll(&closed, 1, 20'000) == 1;
  }
  void EndSending() const { ::shutdown(fd_.get(), SHUT_WR); }
  /// What comes until `end` has come, or the server closes, or 20 s have passed ("(timeout)").
  std::string ReceiveUntil(std::string_view end) {
    while (end.empty() || received_.find(end) == std::string::npos) {
      pollfd readable{fd_.get(), POLLIN, 0};
      if (::poll(&readable, 1, 20'000) != 1) return received_ + "(timeout)";
      char bytes[4096];
      const ssize_t n = ::recv(fd_.get(), bytes, sizeof(bytes), 0);
      if (n <= 0) break;
      received_.append(bytes, static_cast<size_t>(n));
    }
    const size_t found = end.empty() ? std::string::npos : received_.find(end);
    const size_t size = found == std::string::npos ? received_.size() : found + end.size();
    std::string text = received_.substr(0, size);
    received_.erase(0, size);
    return text;
  }
  std::string ReceiveAll() { return ReceiveUntil(""); }

 private:
  Fd fd_;
  bool connected_ = false;
  std::string received_;
};

/// Says what it was asked.
inline Response Echo(const Request& request) {
  return {.status = 200,
          .headers = {{"Content-Type", "text/x-echo"}},
          .body = fmt::format("<{} {} {}>", request.method, request.target, request.body)};
}

/// A test with a socket's path of its own.
class HttpTest : public DirectoryTest {
 protected:
  static constexpr std::string_view kGet = "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n";
  std::string Socket() const { return Path("s"); }
  /// What an echoing server with these limits says to these bytes before it closes.
  std::string Exchange(std::string_view bytes, const Limits& limits = {}) const {
    const TestServer server(Socket(), Echo, limits);
    RawClient client(Socket());
    client.Send(bytes);
    client.EndSending();
    return client.ReceiveAll();
  }
};

inline bool Contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace cnm::http
