// refusal_test.cc: what the server does with wrong, large, slow and too many requests.
#include <chrono>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/http/server.h"
#include "tests/common/http/http_test_server.h"

namespace cnm::http {
namespace {

using std::chrono::milliseconds;

class HttpRefusal : public HttpTest {
 protected:
  /// The first line of what the server says.
  std::string Status(std::string_view bytes, const Limits& limits = {}) const {
    const std::string answer = Exchange(bytes, limits);
    return answer.substr(0, answer.find('\r'));
  }
};

TEST_F(HttpRefusal, AcceptsAnEmptyHostButNotNoneOrTwo) {
  EXPECT_EQ(Status("POST /Plugin.Activate HTTP/1.1\r\nHost: \r\nContent-Length: 0\r\n\r\n"),
            "HTTP/1.1 200 OK");
  EXPECT_EQ(Status("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(Status("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), "HTTP/1.1 400 Bad Request");
}

TEST_F(HttpRefusal, RefusesOtherTransferCodings) {
  EXPECT_EQ(Status("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n"),
            "HTTP/1.1 501 Not Implemented");
  EXPECT_EQ(
      Status("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
      "HTTP/1.1 501 Not Implemented");
}

TEST_F(HttpRefusal, RefusesALengthBesideChunks) {
  const std::string answer = Exchange(
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n"
      "\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
  EXPECT_FALSE(Contains(answer, "smuggled")) << answer;
}

TEST_F(HttpRefusal, RefusesOtherExpectationsAndTooMuchBeforeTheBodyIsSent) {
  EXPECT_EQ(Status("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: tea\r\n\r\n"),
            "HTTP/1.1 417 Expectation Failed");
  EXPECT_EQ(
      Status("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\r\n",
             {.body_bytes = 10}),
      "HTTP/1.1 413 Payload Too Large");
}

TEST_F(HttpRefusal, RefusesWhatIsTooLarge) {
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

TEST_F(HttpRefusal, AClientThatSendsAllOfATooLargeBodyStillReadsWhy) {
  const TestServer server(Socket(), Echo, {.body_bytes = 1000});
  RawClient client(Socket());
  client.Send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n");
  EXPECT_TRUE(client.Send(std::string(8'000'000, 'b')));
  EXPECT_TRUE(client.ReceiveAll().starts_with("HTTP/1.1 413 "));
}

TEST_F(HttpRefusal, RefusesWhatIsNoRequest) {
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

TEST_F(HttpRefusal, AnswersARequestThatIsCutShortAndNotSilence) {
  EXPECT_EQ(Status("GET / HT"), "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(Status("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"),
            "HTTP/1.1 400 Bad Request");
  EXPECT_EQ(Exchange(""), "");
}

TEST_F(HttpRefusal, EndsASlowRequestAtItsDeadline) {
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

TEST_F(HttpRefusal, ClosesIdleConnectionsSilently) {
  const TestServer server(Socket(), Echo, {.idle_time = milliseconds(1000)});
  RawClient silent(Socket());
  RawClient once(Socket());
  once.Send(kGet);
  EXPECT_EQ(silent.ReceiveAll(), "");
  EXPECT_TRUE(once.ReceiveAll().ends_with("<GET /a?b=c >"));
}

TEST_F(HttpRefusal, ClosesAClientThatDoesNotTakeItsAnswer) {
  const auto large = [](const Request&) { return Response{.body = std::string(8 << 20, 'x')}; };
  const TestServer server(Socket(), large, {.answer_time = milliseconds(100)});
  RawClient client(Socket());
  client.Send(kGet);
  RawClient(Socket()).Send(kGet);  // and one that goes away at once
  ASSERT_TRUE(client.AwaitClose());
  EXPECT_LT(client.ReceiveAll().size(), size_t{8} << 20);
}

TEST_F(HttpRefusal, TurnsAwayConnectionsBeyondTheLimit) {
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

}  // namespace
}  // namespace cnm::http
