// server_test.cc: the server over real sockets: right requests, many and slow ones, and the stop.
#include "common/http/server.h"

#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/subprocess.h"
#include "tests/common/http/http_test_server.h"

namespace cnm::http {
namespace {

using HttpServer = HttpTest;

constexpr std::string_view kGetAndClose = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

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

TEST_F(HttpServer, JoinsChunks) {
  const std::string answer = Exchange(
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n");
  EXPECT_TRUE(Contains(answer, "<POST / abcdefg>")) << answer;
}

TEST_F(HttpServer, TellsAClientThatExpectsItToContinue) {
  const TestServer server(Socket(), Echo);
  RawClient client(Socket());
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReceiveUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("ok");
  EXPECT_TRUE(Contains(client.ReceiveUntil("<POST / ok>"), "200 OK"));
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

TEST_F(HttpServer, BriefRequestsAreAnsweredWhenAllWorkersWait) {
  Gate gate;
  const auto is_brief = [](const Request& request) { return request.target != "/slow"; };
  const TestServer server(
      Socket(),
      [&](const Request& request) {
        if (!is_brief(request)) gate.Pass();
        return Echo(request);
      },
      {.workers = 2}, is_brief);
  std::vector<RawClient> slow;
  slow.reserve(5);
  for (int i = 0; i < 5; ++i) {
    slow.emplace_back(Socket()).Send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  ASSERT_TRUE(gate.AwaitWaiting(2));
  RawClient quick(Socket());
  for (int i = 0; i < 3; ++i) {
    quick.Send(kGet);
    EXPECT_TRUE(Contains(quick.ReceiveUntil("<GET /a?b=c >"), "200 OK")) << i;
  }
  gate.Open();
  for (RawClient& client : slow) {
    EXPECT_TRUE(Contains(client.ReceiveUntil("<GET /slow >"), "200 OK"));
  }
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
