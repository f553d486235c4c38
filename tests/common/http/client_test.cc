// client_test.cc: the client against real servers, and against sockets that misbehave.
#include "common/http/client.h"

#include <chrono>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "tests/common/base/child_process.h"
#include "tests/common/http/http_test_server.h"

namespace cnm::http {
namespace {

using std::chrono::milliseconds;

class HttpClient : public DirectoryTest {
 protected:
  std::string Socket() const { return Path("s"); }
  ServerAddress Server() const { return {.unix_path = Socket()}; }
  /// What the client makes of a server that says `bytes` to its first request, then closes; fails
  /// when a second comes.
  std::string CallOf(const std::string& bytes, const CallLimits& limits = {}) const;
};

/// "status body", or "code: message" of the Error.
std::string Outcome(const ServerAddress& server, const Request& request,
                    const CallLimits& limits = {}) {
  try {
    const Response response = Call(server, request, limits);
    return fmt::format("{} {}", response.status, response.body);
  } catch (const Error& e) {
    const char* code = e.code() == Code::kUnavailable ? "unavailable"
                       : e.code() == Code::kDecode    ? "decode"
                                                      : "other";
    return fmt::format("{}: {}", code, e.message());
  }
}

std::string HttpClient::CallOf(const std::string& bytes, const CallLimits& limits) const {
  const Fd listening = ListenUnix({.path = Socket()});
  std::thread server([&] {
    pollfd ready{listening.get(), POLLIN, 0};
    ::poll(&ready, 1, 10'000);
    const Fd client(::accept(listening.get(), nullptr, nullptr));
    char request[4096];
    if (::recv(client.get(), request, sizeof(request), 0) <= 0) return;
    ::send(client.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ::shutdown(client.get(), SHUT_WR);
    while (::recv(client.get(), request, sizeof(request), 0) > 0) {
    }
  });
  std::string outcome = Outcome(Server(), {}, limits);
  server.join();
  pollfd again{listening.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&again, 1, 0), 0) << "a second connection";
  const std::string name = "unix://" + Socket();
  const size_t at = outcome.find(name);
  return at == std::string::npos ? outcome : outcome.replace(at, name.size(), "S");
}

TEST_F(HttpClient, SendsARequestAndReturnsTheAnswerWhateverItsStatus) {
  const TestServer server(Socket(), [](const Request& request) {
    std::string seen = fmt::format("{} {} {}", request.method, request.target, request.body);
    for (const Header& header : request.headers) {
      seen += fmt::format("|{}: {}", header.name, header.value);
    }
    return Response{.status = 404, .headers = {{"X-One", "1"}}, .body = seen};
  });
  const Response response =
      Call(Server(), {.method = "POST",
                      .target = "/NetworkDriver.Join?x",
                      .headers = {{"Accept", "application/vnd.docker.plugins.v1.2+json"}},
                      .body = "{}"});
  EXPECT_EQ(response.status, 404U);
  EXPECT_EQ(FindHeader(response.headers, "x-one"), "1");
  EXPECT_EQ(response.body,
            "POST /NetworkDriver.Join?x {}|Host: localhost|Accept: "
            "application/vnd.docker.plugins.v1.2+json|Connection: close|Content-Length: 2");
  EXPECT_NE(Outcome(Server(), {.method = "POST"}).find("Content-Length: 0"), std::string::npos);
  EXPECT_EQ(Outcome(Server(), {}).find("Content-Length"), std::string::npos);
}

TEST_F(HttpClient, SkipsInterimAnswers) {
  const std::string interim =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n";
  EXPECT_EQ(CallOf(interim + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"), "200 ab");
  EXPECT_EQ(CallOf(interim), "unavailable: call S: no answer: end of stream");
}

TEST_F(HttpClient, ReadsAnAnswerThatEndsWithTheConnectionOrHasNoBody) {
  EXPECT_EQ(CallOf("HTTP/1.0 200 OK\r\n\r\nto the end"), "200 to the end");
  EXPECT_EQ(CallOf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n"),
            "200 ab");
  EXPECT_EQ(CallOf("HTTP/1.1 204 No Content\r\n\r\n"), "204 ");
}

TEST_F(HttpClient, SaysWhatIsWrongWithAnAnswer) {
  EXPECT_EQ(CallOf("nonsense\r\n\r\n"), "decode: call S: bad answer: bad version");
  EXPECT_EQ(CallOf(""), "unavailable: call S: no answer: end of stream");
  EXPECT_EQ(CallOf("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"),
            "decode: call S: bad answer: partial message");
  EXPECT_EQ(CallOf("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde", {.body_bytes = 4}),
            "decode: call S: bad answer: body limit exceeded");
  EXPECT_EQ(CallOf("HTTP/1.0 200 OK\r\n\r\nabcde", {.body_bytes = 4}),
            "decode: call S: bad answer: body limit exceeded");
  EXPECT_EQ(CallOf("HTTP/1.1 200 OK\r\nX: " + std::string(9999, 'x'), {.header_bytes = 9999}),
            "decode: call S: bad answer: header limit exceeded");
}

TEST_F(HttpClient, GivesUpAtTheDeadline) {
  const Fd silent = ListenUnix({.path = Socket()});
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Outcome(Server(), {}, {.exchange = milliseconds(200)}),
            fmt::format("unavailable: call unix://{}: no answer after 0.2 s", Socket()));
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(10'000));
}

TEST_F(HttpClient, TriesOnceUnlessTold) {
  EXPECT_EQ(
      Outcome(Server(), {}),
      fmt::format("unavailable: call unix://{}: connect: No such file or directory", Socket()));
  const std::string long_path(200, 'x');
  EXPECT_EQ(Outcome({.unix_path = "/" + long_path}, {}),
            fmt::format("unavailable: call unix:///{}: connect: File name too long", long_path));
}

TEST_F(HttpClient, RetriesAfter1And2SecondsWhileTheTimeAllows) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto until_given_up = [&](milliseconds retry) {
    EXPECT_NE(Outcome(Server(), {}, {.connect_retry = retry}).find("connect"), std::string::npos);
    return Clock::now();
  };
  // Side by side, because a busy machine makes both late.
  Clock::time_point thrice;
  std::thread longer([&] { thrice = until_given_up(milliseconds(6500)); });
  const Clock::time_point twice = until_given_up(milliseconds(2500));
  longer.join();
  EXPECT_GE(twice - start, milliseconds(1000));   // the next try would have been after 3 s
  EXPECT_GE(thrice - start, milliseconds(3000));  // the next after 7 s
  EXPECT_LT(twice, thrice);
}

TEST_F(HttpClient, FindsAServerThatAppearsLate) {
  std::string outcome;
  std::thread client(
      [&] { outcome = Outcome(Server(), {}, {.connect_retry = milliseconds(15'000)}); });
  pollfd nothing{-1, 0, 0};
  ::poll(&nothing, 1, 200);  // the first try fails; a later one need not
  const TestServer server(Socket(), [](const Request&) { return Response{.body = "late"}; });
  client.join();
  EXPECT_EQ(outcome, "200 late");
}

TEST_F(HttpClient, DoesNotRepeatARequestThatWasSent) {
  EXPECT_EQ(CallOf("", {.connect_retry = milliseconds(30'000)}),
            "unavailable: call S: no answer: end of stream");
}

TEST(ServerAddress, IsReadFromAUrl) {
  EXPECT_EQ(ParseServerAddress("unix:///run/x.sock"), (ServerAddress{.unix_path = "/run/x.sock"}));
  EXPECT_EQ(ParseServerAddress("tcp://127.0.0.1:2385"),
            (ServerAddress{.host = "127.0.0.1", .port = "2385"}));
  EXPECT_EQ(ParseServerAddress("http://plugin.example:80/path"),
            (ServerAddress{.host = "plugin.example", .port = "80"}));
  EXPECT_EQ(ParseServerAddress("tcp://[2001:db8::1]:80"),
            (ServerAddress{.host = "2001:db8::1", .port = "80"}));
  for (const char* bad :
       {"", "127.0.0.1:80", "unix://relative", "ftp://x:1", "tcp://x", "tcp://:80",
        "tcp://x:", "tcp://x:y", "tcp://2001:db8::1:80", "tcp://x:123456"}) {
    EXPECT_THROW(ParseServerAddress(bad), Error) << bad;
  }
}

}  // namespace
}  // namespace cnm::http
