// server_test.cc: the server over real sockets: right requests, wrong ones, slow and many clients.
#include "common/http/server.h"

#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/subprocess.h"
#include "tests/common/base/child_process.h"
#include "tests/common/http/http_test_server.h"

namespace cnm::http {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kGet = "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n";
constexpr std::string_view kGetAndClose = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/// Says what it was asked.
Response Echo(const Request& request) {
  return {.status = 200,
          .headers = {{"Content-Type", "text/x-echo"}},
          .body = fmt::format("<{} {} {}>", request.method, request.target, request.body)};
}

class HttpServer : public DirectoryTest {
 protected:
  std::string Socket() const { return Path("s"); }
  /// What the server with these limits says to these bytes before it closes.
  std::string Exchange(std::string_view bytes, const Limits& limits = {}) const {
    const TestServer server(Socket(), Echo, limits);
    RawClient client(Socket());
    client.Send(bytes);
    client.EndSending();
    return client.ReceiveAll();
  }
  /// The first line of Exchange.
  std::string Status(std::string_view bytes, const Limits& limits = {}) const {
    const std::string answer = Exchange(bytes, limits);
    return answer.substr(0, answer.find('\r'));
  }
};

bool Contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

size_t Count(const std::string& text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST_F(HttpServer, AnswersOnAConnectionThatStaysOpen) {
  const TestServer server(Socket(), Echo);
  RawClient client(Socket());
  for (int i = 0; i < 3; ++i) {
    client.Send(kGet);
    const std::string answer = client.ReceiveUntil("<GET /a?b=c >");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
    EXPECT_TRUE(Contains(answer, "\r\nContent-Type: text/x-echo\r\n")) << answer;
    EXPECT_TRUE(Contains(answer, "\r\nContent-Length: 13\r\n")) << answer;
    EXPECT_TRUE(Contains(answer, " GMT\r\n")) << answer;
    EXPECT_FALSE(Contains(answer, "Connection:")) << answer;
  }
}

TEST_F(HttpServer, ClosesWhenAskedTo) {
  const TestServer server(Socket(), Echo);
  RawClient client(Socket());
  client.Send(kGetAndClose);
  EXPECT_TRUE(Contains(client.ReceiveAll(), "\r\nConnection: close\r\n"));
}

TEST_F(HttpServer, SpeaksHttp10) {
  const TestServer server(Socket(), Echo);
  RawClient once(Socket());
  once.Send("GET /old HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(once.ReceiveAll().starts_with("HTTP/1.0 200 OK\r\n"));
  RawClient kept(Socket());
  for (int i = 0; i < 2; ++i) {
    kept.Send("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_TRUE(Contains(kept.ReceiveUntil("<GET /old >"), "Connection: keep-alive\r\n"));
  }
}

TEST_F(HttpServer, AnswersPipelinedRequestsInOrder) {
  std::string requests;
  for (int i = 0; i < 50; ++i) {
    requests += fmt::format("POST /{} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", i);
  }
  const std::string answers = Exchange(requests);
  size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    at = answers.find(fmt::format("<POST /{} hi>", i), at);
    ASSERT_NE(at, std::string::npos) << i;
  }
}

TEST_F(HttpServer, AcceptsAnEmptyHostButNotNoneOrTwo) {
  EXPECT_EQ(Status("POST /Plugin.Activate HTTP/1.1\r\nHost: \r\nContent-Length: 0\r\n\r\n"),
            "HTTP/1.1 200 OK");
  EXPECT_EQ(Status("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(Status("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), "HTTP/1.1 400 Bad Request");
}

TEST_F(HttpServer, JoinsChunks) {
  const std::string answer = Exchange(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n");
  EXPECT_TRUE(Contains(answer, "<POST / abcdefg>")) << answer;
}

TEST_F(HttpServer, RefusesOtherTransferCodings) {
  EXPECT_EQ(Status("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"),
            "HTTP/1.1 501 Not Implemented");
  EXPECT_EQ(
      Status("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
      "HTTP/1.1 501 Not Implemented");
}

TEST_F(HttpServer, RefusesALengthBesideChunks) {
  const std::string answer = Exchange(
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n"
      "\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  EXPECT_FALSE(Contains(answer, "smuggled")) << answer;
}

TEST_F(HttpServer, TellsAClientThatExpectsItToContinue) {
  const TestServer server(Socket(), Echo);
  RawClient client(Socket());
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReceiveUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("ok");
  EXPECT_TRUE(Contains(client.ReceiveUntil("<POST / ok>"), "200 OK"));
}

TEST_F(HttpServer, RefusesOtherExpectationsAndTooMuchBeforeTheBodyIsSent) {
  EXPECT_EQ(Status("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: tea\r\n\r\n"),
            "HTTP/1.1 417 Expectation Failed");
  EXPECT_EQ(
      Status("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\r\n",
             {.body_bytes = 10}),
      "HTTP/1.1 413 Payload Too Large");
}

TEST_F(HttpServer, AnswersHeadWithoutABody) {
  const std::string answer = Exchange("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(Contains(answer, "Content-Length: 9\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

TEST_F(HttpServer, TakesTheServerOutOfTheTarget) {
  EXPECT_TRUE(Contains(Exchange("GET http://x:1/p?q HTTP/1.1\r\nHost: x\r\n\r\n"), "<GET /p?q >"));
  EXPECT_TRUE(Contains(Exchange("GET HTTP://x HTTP/1.1\r\nHost: x\r\n\r\n"), "<GET / >"));
}

TEST_F(HttpServer, RefusesWhatIsTooLarge) {
  const std::string body(1000, 'b');
  EXPECT_EQ(Status("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + body,
                   {.body_bytes = 999}),
            "HTTP/1.1 413 Payload Too Large");
  EXPECT_EQ(Status("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + body,
                   {.body_bytes = 1000}),
            "HTTP/1.1 200 OK");
  EXPECT_EQ(Status(fmt::format("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "3e8\r\n{}\r\n0\r\n\r\n",
                               body),
                   {.body_bytes = 999}),
            "HTTP/1.1 413 Payload Too Large");
  const std::string header = fmt::format("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", body);
  EXPECT_EQ(Status(header, {.header_bytes = 1000}), "HTTP/1.1 431 Request Header Fields Too Large");
  EXPECT_EQ(Status(fmt::format("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", std::string(1 << 20, 'u'))),
            "HTTP/1.1 431 Request Header Fields Too Large");
}

TEST_F(HttpServer, AClientThatSendsAllOfATooLargeBodyStillReadsWhy) {
  const TestServer server(Socket(), Echo, {.body_bytes = 1000});
  RawClient client(Socket());
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n");
  client.Send(std::string(200'000, 'b'));
  EXPECT_TRUE(client.ReceiveAll().starts_with("HTTP/1.1 413 "));
}

TEST_F(HttpServer, RefusesWhatIsNoRequest) {
  for (const std::string_view bytes :
       {"nonsense\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "\x16\x03\x01\x02\x03\x01\xfc\r\n\r\n"}) {
    EXPECT_EQ(Status(bytes), "HTTP/1.1 400 Bad Request") << bytes;
  }
  for (const char* version : {"HTTP/2.0", "HTTP/0.9", "FTP/1.1"}) {
    EXPECT_EQ(Status(fmt::format("GET / {}\r\nHost: x\r\n\r\n", version)),
              "HTTP/1.1 505 HTTP Version Not Supported");
  }
}

TEST_F(HttpServer, AnswersARequestThatIsCutShortAndNotSilence) {
  EXPECT_EQ(Status("GET / HT"), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(Status("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"),
            "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(Exchange(""), "");
}

TEST_F(HttpServer, EndsASlowRequestAtItsDeadline) {
  const TestServer server(Socket(), Echo, {.request_time = milliseconds(300)});
  const auto start = std::chrono::steady_clock::now();
  RawClient header(Socket());
  header.Send("GET / HTTP/1.1\r\n");
  RawClient body(Socket());
  body.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n");
  // A byte now and then does not help.
  pollfd nothing{-1, 0, 0};
  for (int i = 0; i < 4; ++i) {
    ::poll(&nothing, 1, 50);
    body.Send("b");
    header.Send("X");
  }
  EXPECT_TRUE(header.ReceiveAll().starts_with("HTTP/1.1 408 Request Timeout\r\n"));
  EXPECT_TRUE(body.ReceiveAll().starts_with("HTTP/1.1 408 Request Timeout\r\n"));
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(300));
}

TEST_F(HttpServer, ClosesIdleConnectionsSilently) {
  const TestServer server(Socket(), Echo, {.idle_time = milliseconds(50)});
  RawClient silent(Socket());
  EXPECT_EQ(silent.ReceiveAll(), "");
  RawClient once(Socket());
  once.Send(kGet);
  EXPECT_TRUE(once.ReceiveAll().ends_with("<GET /a?b=c >"));
}

TEST_F(HttpServer, ClosesAClientThatDoesNotTakeItsAnswer) {
  const auto large = [](const Request&) { return Response{.body = std::string(8 << 20, 'x')}; };
  const TestServer server(Socket(), large, {.answer_time = milliseconds(100)});
  RawClient client(Socket());
  client.Send(kGet);
  RawClient(Socket()).Send(kGet);  // and one that goes away at once
  pollfd nothing{-1, 0, 0};
  ::poll(&nothing, 1, 400);  // the time a client needs to be too slow
  EXPECT_LT(client.ReceiveAll().size(), size_t{8} << 20);
}

TEST_F(HttpServer, TurnsAwayConnectionsBeyondTheLimit) {
  const TestServer server(Socket(), Echo, {.connections = 2});
  RawClient one(Socket());
  RawClient two(Socket());
  one.Send(kGet);
  two.Send(kGet);
  one.ReceiveUntil("<GET /a?b=c >");
  two.ReceiveUntil("<GET /a?b=c >");
  RawClient three(Socket());
  EXPECT_TRUE(three.ReceiveAll().starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  two.EndSending();
  EXPECT_EQ(two.ReceiveAll(), "");
  RawClient four(Socket());
  four.Send(kGet);
  EXPECT_TRUE(four.ReceiveUntil("<GET /a?b=c >").starts_with("HTTP/1.1 200 OK"));
}

TEST_F(HttpServer, Serves200ConnectionsAtOnce) {
  const TestServer server(Socket(), Echo);
  std::vector<RawClient> clients;
  clients.reserve(200);
  for (int i = 0; i < 200; ++i) clients.emplace_back(Socket());
  for (int round = 0; round < 5; ++round) {
    for (const RawClient& client : clients) client.Send(kGet);
    for (RawClient& client : clients) {
      ASSERT_TRUE(client.ReceiveUntil("<GET /a?b=c >").ends_with("<GET /a?b=c >"));
    }
  }
}

TEST_F(HttpServer, SlowHandlersStopNoClientThatOthersCanServe) {
  Gate gate;
  const TestServer server(Socket(), [&](const Request& request) {
    if (request.target == "/slow") gate.Pass();
    return Echo(request);
  });
  RawClient slow(Socket());
  slow.Send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(gate.AwaitWaiting(1));
  RawClient quick(Socket());
  quick.Send(kGet);
  EXPECT_TRUE(Contains(quick.ReceiveUntil("<GET /a?b=c >"), "200 OK"));
  gate.Open();
  EXPECT_TRUE(Contains(slow.ReceiveUntil("<GET /slow >"), "200 OK"));
}

TEST_F(HttpServer, FinishesWhatRunsWhenStopped) {
  Gate gate;
  TestServer server(Socket(), [&](const Request& request) {
    gate.Pass();
    return Echo(request);
  });
  RawClient idle(Socket());
  RawClient partial(Socket());
  partial.Send("GET / HTTP/1.1\r\n");
  RawClient busy(Socket());
  busy.Send(kGet);
  ASSERT_TRUE(gate.AwaitWaiting(1));
  server.Stop();
  server.Stop();
  EXPECT_EQ(idle.ReceiveAll(), "");
  EXPECT_EQ(partial.ReceiveAll(), "");
  EXPECT_FALSE(RawClient(Socket()).connected());
  gate.Open();
  const std::string answer = busy.ReceiveAll();
  EXPECT_TRUE(Contains(answer, "Connection: close\r\n")) << answer;
  EXPECT_TRUE(answer.ends_with("<GET /a?b=c >")) << answer;
  EXPECT_TRUE(server.AwaitEnd());
}

TEST_F(HttpServer, AnExceptionOrAnAnswerThatIsNoneIsStatus500) {
  const TestServer server(Socket(), [](const Request& request) -> Response {
    if (request.target == "/throw") throw std::runtime_error("it broke");
    return {.headers = {{"Location", request.target + "\r\nEvil: yes"}}};
  });
  RawClient client(Socket());
  client.Send("GET /throw HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(client.ReceiveUntil("it broke\n").starts_with("HTTP/1.1 500 "));
  client.Send(kGet);
  const std::string answer = client.ReceiveUntil("cannot be sent\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 500 ")) << answer;
  EXPECT_FALSE(Contains(answer, "Evil")) << answer;
}

TEST_F(HttpServer, KnowsTheProcessBehindAUnixSocket) {
  const TestServer server(Socket(), [](const Request& request) {
    return Response{.body = fmt::format("{} {} [{}]", request.peer.pid, request.peer.uid,
                                        request.peer.address)};
  });
  RawClient client(Socket());
  client.Send(kGetAndClose);
  EXPECT_TRUE(client.ReceiveAll().ends_with(fmt::format("{} {} []", ::getpid(), ::getuid())));
}

TEST_F(HttpServer, UnderstandsCurl) {
  const TestServer server(Socket(), Echo);
  const auto curl = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"curl", "-sS", "--max-time", "10", "--unix-socket", Socket()});
    return cnm::Run({.path = "/usr/bin/curl", .arguments = arguments, .environment = {}}).output;
  };
  EXPECT_EQ(curl({"http://cnm/networks?name=a"}), "<GET /networks?name=a >");
  const std::string large(100'000, 'x');  // curl asks before it sends that much
  EXPECT_EQ(Count(curl({"-d", "{}", "http://cnm/a", "http://cnm/b"}), "<POST /"), 2U);
  EXPECT_EQ(curl({"-H", "Transfer-Encoding: chunked", "-d", large, "http://cnm/"}).size(),
            large.size() + 9);
  EXPECT_EQ(curl({"-H", "Expect: 100-continue", "-d", large, "http://cnm/"}).size(),
            large.size() + 9);
}

}  // namespace
}  // namespace cnm::http
