// ask_test.cc: what cnmctl makes of texts on the command line, and what it shows of answers.
#include "cnm/cli/ask.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "common/base/error.h"
#include "tests/common/http/http_test_server.h"

namespace cnm::cli {
namespace {

/// What it throws, or "accepted".
template <class Work>
std::string Refusal(const Work& work) {
  try {
    work();
    return "accepted";
  } catch (const Error& error) {
    return error.message();
  }
}

TEST(KeyValues, SplitAtTheFirstEquals) {
  EXPECT_EQ(KeyValues({"a=1", "b=x=y", "c="}),
            (std::map<std::string, std::string>{{"a", "1"}, {"b", "x=y"}, {"c", ""}}));
  EXPECT_EQ(KeyValues({"a=1", "a=2"}), (std::map<std::string, std::string>{{"a", "2"}}));
}

TEST(KeyValues, NeedAKey) {
  for (const char* wrong : {"", "a", "=1"}) {
    EXPECT_EQ(Refusal([&] { KeyValues({wrong}); }),
              std::string("option ") + wrong + ": want KEY=VALUE");
  }
}

TEST(ParsePublish, TakesPortsAddressAndProtocol) {
  const auto shown = [](const char* text) {
    const api::PortRequest p = ParsePublish(text);
    return fmt::format("{}/{} {} {}", p.port, p.protocol, p.host_address, p.host_port);
  };
  EXPECT_EQ(shown("8080:80"), "80/6  8080");
  EXPECT_EQ(shown("8080:80/tcp"), "80/6  8080");
  EXPECT_EQ(shown("53:5353/udp"), "5353/17  53");
  EXPECT_EQ(shown("1:65535/sctp"), "65535/132  1");
  EXPECT_EQ(shown("192.0.2.1:53:53/udp"), "53/17 192.0.2.1 53");
  EXPECT_EQ(shown("[2001:db8::1]:8080:80"), "80/6 2001:db8::1 8080");
}

TEST(ParsePublish, RefusesEverythingElse) {
  for (const char* wrong :
       {"", "80", ":80", "80:", "0:80", "80:0", "65536:80", "80:65536", "x:80", "80:x", "8080:80/",
        "8080:80/icmp", "8080:80/tcp/udp", "-1:80", "+1:80", " 1:80", "8080:80x"}) {
    EXPECT_EQ(Refusal([&] { ParsePublish(wrong); }),
              fmt::format("publish {}: want [ADDRESS:]HOSTPORT:PORT[/tcp|udp|sctp]", wrong));
  }
}

/// cnmd with these sandboxes.
class AskTest : public http::HttpTest {
 protected:
  static http::Response Answer(const http::Request& asked) {
    std::string body = "[]";
    if (asked.target == "/sandboxes") {
      body = R"([{"id":"s1","key":"","container_id":"web1"},{"id":"s2","container_id":"web12"},)"
             R"({"id":"s3","container_id":"db"}])";
    } else if (asked.target == "/networks?name=blue") {
      body = R"([{"name":"blue","id":"n1"}])";
    } else if (asked.target == "/services?name=web") {
      body = R"([{"name":"web","id":"e1","network":"red"},)"
             R"({"name":"web","id":"e2","network":"blue"}])";
    } else if (asked.target == "/inventory") {
      body = R"({"networks":[{"name":"blue","doors":[{"door":"api","id":"n1","name":"blue"}]}]})";
    } else if (asked.target == "/networks/n1") {
      body = R"({"name":"blue","id":"n1"})";
    }
    return {.body = body};
  }
  api::Client Client() const {
    return api::Client({.server = {.unix_path = Socket()}, .unreachable = "away: "});
  }
  Options ToServer() const {
    Options options;
    options.socket = "unix://" + Socket();
    return options;
  }
};

TEST_F(AskTest, ASandboxIsFoundByTheBeginningThatNoOtherHas) {
  const http::TestServer server(Socket(), Answer);
  EXPECT_EQ(FindSandboxId(Client(), "d"), "s3");
  EXPECT_EQ(FindSandboxId(Client(), "web1"), "s1");  // all of it, though another begins so
  EXPECT_EQ(Refusal([&] { FindSandboxId(Client(), "web"); }),
            "container web: 2 sandboxes begin so");
  EXPECT_EQ(Refusal([&] { FindSandboxId(Client(), "x"); }), "container x: has no sandbox");
}

TEST_F(AskTest, AServiceIsFoundOnItsNetwork) {
  const http::TestServer server(Socket(), Answer);
  EXPECT_EQ(FindService(Client(), "web.blue").id, "e2");
  EXPECT_EQ(FindEndpoint(Client(), "blue", "web").id, "e2");
  EXPECT_EQ(Refusal([&] { FindService(Client(), "web.green"); }), "Network green does not exist");
}

TEST_F(AskTest, WhoDoesNotAnswerIsNamedWithWhatToDo) {
  EXPECT_EQ(Refusal([&] { OpenClient(ToServer()).Networks(); }),
            fmt::format("cnmd does not answer (systemctl start cnmd?): call unix://{}: connect: No "
                        "such file or directory",
                        Socket()));
}

/// What PrintObject prints.
std::string Printed(const std::string& body, bool json) {
  testing::internal::CaptureStdout();
  PrintObject(body, json);
  return testing::internal::GetCapturedStdout();
}

TEST(PrintObject, IsALineForEachMemberThatSaysSomething) {
  EXPECT_EQ(
      Printed(R"({"name":"blue","n":5,"gone":"","none":[],"no":{},"nil":null,"l":["a"]})", false),
      "name            blue\n"
      "n               5\n"
      "l               [\"a\"]\n");
}

TEST(PrintObject, IsTheWholeAnswerAsJson) {
  EXPECT_EQ(Printed(R"({"name":"blue","gone":""})", true),
            "{\n    \"name\": \"blue\",\n    \"gone\": \"\"\n}\n");
}

}  // namespace
}  // namespace cnm::cli
