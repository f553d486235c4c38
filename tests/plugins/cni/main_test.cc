// main_test.cc: the life of one plugin process, from its streams to its exit code.
#include "plugins/cni/main.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/json/object.h"
#include "tests/plugins/cni/fake_world.h"

namespace cnm::cni {
namespace {

/// What the fake plugin was asked for, "ADD n c1", and what it answers.
struct Script {
  std::vector<std::string> calls;
  Result result;
  const Error* error = nullptr;
  bool defect = false;
} script;  // NOLINT: a plugin's functions have no other way to their test

void Note(const Call& call) {
  script.calls.push_back(
      fmt::format("{} {} {} {}", VerbName(call.verb), call.network, call.container_id, call.netns));
  if (script.defect) throw std::out_of_range("index");
  if (script.error != nullptr) throw Error(*script.error);
}

Result AddFake(const Call& call) {
  Note(call);
  return script.result;
}

constexpr Plugin kFake = {
    .name = "fake", .add = AddFake, .del = Note, .check = Note, .gc = Note, .status = Note};
constexpr Plugin kBare = {.name = "bare", .add = AddFake};
constexpr std::array<std::string_view, 1> kOnly040 = {"0.4.0"};
constexpr Plugin kNarrow = {.name = "narrow", .versions = kOnly040, .add = AddFake, .del = Note};

constexpr const char* kConfig = R"({"cniVersion":"1.1.0","name":"n"})";
constexpr const char* kOwnNetns = "/proc/self/ns/net";

class MainTest : public testing::Test {
 protected:
  MainTest() { script = {}; }

  int Run(const std::map<std::string, std::string>& changes, std::string_view input = kConfig) {
    in_ = FakeStream(input);
    return RunWith(changes, in_.fd(), out_.fd());
  }

  int RunWith(const std::map<std::string, std::string>& changes, int in, int out) {
    std::map<std::string, std::string> variables = {{"CNI_CONTAINERID", "c1"},
                                                    {"CNI_NETNS", "/gone"},
                                                    {"CNI_IFNAME", "eth0"},
                                                    {"CNI_PATH", directory_.path()}};
    for (auto& [name, value] : changes) variables[name] = value;
    const FakeEnvironment environment(variables);
    testing::internal::CaptureStderr();
    const int status = Main(*plugin_, {.environment = environment.get(),
                                       .registry = {},
                                       .in = in,
                                       .out = out,
                                       .err = err_.fd(),
                                       .log_directory = directory_ / "run",
                                       .program_version = "7.8.9"});
    warnings_ = testing::internal::GetCapturedStderr();
    return status;
  }

  /// "NUMBER VERSION msg | details" of the error on stdout. A second document would not parse.
  std::string ErrorOnStdout() {
    const json::Object error = json::Parse(out_.Text(), "stdout");
    int64_t number = 0;
    std::string version;
    std::string message;
    std::string details;
    error.Optional("code", number);
    error.Required("cniVersion", version);
    error.Required("msg", message);
    error.Optional("details", details);
    return fmt::format("{} {} {}{}{}", number, version, message, details.empty() ? "" : " | ",
                       details);
  }

  std::vector<std::string> Log() { return RingLog(directory_ / "run/log").Read(); }

  TemporaryDirectory directory_;
  const Plugin* plugin_ = &kFake;
  FakeStream in_;
  FakeStream out_;
  FakeStream err_;
  std::string warnings_;
};

TEST_F(MainTest, IntroducesItselfWithoutACommand) {
  EXPECT_EQ(Run({{"CNI_COMMAND", ""}}), 0);
  EXPECT_EQ(out_.Text(), "");
  EXPECT_EQ(err_.Text(),
            "CNI fake plugin v1.9.1\n"
            "cnm 7.8.9\n"
            "CNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0\n");
  EXPECT_TRUE(Log().empty());
}

TEST_F(MainTest, AnswersVersionWithoutReadingItsInput) {
  EXPECT_EQ(RunWith({{"CNI_COMMAND", "VERSION"}}, -1, out_.fd()), 0);
  EXPECT_EQ(out_.Text(),
            "{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"0.1.0\",\"0.2.0\",\"0.3.0\","
            "\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}\n");
  EXPECT_TRUE(Log().empty());
}

TEST_F(MainTest, FailsWhenVersionCannotBePrinted) {
  EXPECT_EQ(RunWith({{"CNI_COMMAND", "VERSION"}}, -1, -1), 1);
}

TEST_F(MainTest, PrintsTheResultOfAdd) {
  script.result.interfaces = {{.name = "eth0"}};
  EXPECT_EQ(Run({{"CNI_COMMAND", "ADD"}}), 0);
  EXPECT_EQ(out_.Text(), PrintResult(script.result, "1.1.0"));
  EXPECT_EQ(script.calls, std::vector<std::string>{"ADD n c1 /gone"});
}

TEST_F(MainTest, PrintsNothingForTheOtherVerbs) {
  for (const char* verb : {"DEL", "CHECK", "GC", "STATUS"}) {
    EXPECT_EQ(Run({{"CNI_COMMAND", verb}}), 0) << verb;
    EXPECT_EQ(script.calls.back().substr(0, script.calls.back().find(' ')), verb);
  }
  EXPECT_EQ(out_.Text(), "");
}

TEST_F(MainTest, TakesAVerbWithoutFunctionForDone) {
  plugin_ = &kBare;
  for (const char* verb : {"DEL", "CHECK", "GC", "STATUS"}) {
    EXPECT_EQ(Run({{"CNI_COMMAND", verb}}), 0) << verb;
  }
  EXPECT_EQ(out_.Text(), "");
}

TEST_F(MainTest, PrintsTheErrorOfThePlugin) {
  const Error error(Code::kTryAgain, "busy", "held by 7");
  script.error = &error;
  EXPECT_EQ(Run({{"CNI_COMMAND", "ADD"}}), 1);
  EXPECT_EQ(ErrorOnStdout(), "11 1.1.0 busy | held by 7");
}

TEST_F(MainTest, ReportsADefectAsInternal) {
  script.defect = true;
  EXPECT_EQ(Run({{"CNI_COMMAND", "ADD"}}), 1);
  EXPECT_EQ(ErrorOnStdout(), "999 1.1.0 index");
}

TEST_F(MainTest, LabelsErrorsWithTheConfigurationsVersion) {
  EXPECT_EQ(Run({{"CNI_COMMAND", "GC"}}, R"({"cniVersion":"0.4.0","name":"n"})"), 1);
  EXPECT_EQ(ErrorOnStdout(), "1 0.4.0 config version does not allow GC");
}

TEST_F(MainTest, LabelsErrorsWithTheNewestVersionWhenTheirsIsNotSpoken) {
  EXPECT_EQ(Run({{"CNI_COMMAND", "ADD"}}, R"({"cniVersion":"9.0.0","name":"n"})"), 1);
  EXPECT_EQ(ErrorOnStdout().substr(0, 33), "1 1.1.0 incompatible CNI versions");
  EXPECT_TRUE(script.calls.empty());
}

TEST_F(MainTest, JudgesTheEnvironmentFirst) {
  EXPECT_EQ(Run({{"CNI_COMMAND", "ADD"}, {"CNI_CONTAINERID", ""}, {"CNI_PATH", ""}}, "x"), 1);
  EXPECT_EQ(ErrorOnStdout(), "4 1.1.0 required env variables [CNI_CONTAINERID,CNI_PATH] missing");
}

TEST_F(MainTest, JudgesTheInputBeforeTheVerb) {
  EXPECT_EQ(Run({{"CNI_COMMAND", "FOO"}}, "x"), 1);
  EXPECT_EQ(ErrorOnStdout().substr(0, 41), "6 1.1.0 error unmarshall network config: ");
}

TEST_F(MainTest, RefusesAVerbItDoesNotKnow) {
  EXPECT_EQ(Run({{"CNI_COMMAND", "add"}}), 1);
  EXPECT_EQ(ErrorOnStdout(), "4 1.1.0 unknown CNI_COMMAND: add");
}

TEST_F(MainTest, RefusesInputItCannotRead) {
  EXPECT_EQ(RunWith({{"CNI_COMMAND", "ADD"}}, -1, out_.fd()), 1);
  EXPECT_EQ(ErrorOnStdout(),
            "5 1.1.0 error reading from stdin: read network configuration: Bad file descriptor");
}

TEST_F(MainTest, RefusesInputOver4MiBWithoutReadingOn) {
  const std::string huge(size_t{5} << 20, ' ');
  EXPECT_EQ(Run({{"CNI_COMMAND", "ADD"}}, huge), 1);
  EXPECT_EQ(ErrorOnStdout(), "6 1.1.0 network configuration is larger than 4194304 bytes");
  EXPECT_LT(::lseek(in_.fd(), 0, SEEK_CUR), (off_t{4} << 20) + 65536);
}

TEST_F(MainTest, RefusesNestingOver64Levels) {
  std::string deep = R"({"name":"n","x":)";
  deep += std::string(100000, '[');
  EXPECT_EQ(Run({{"CNI_COMMAND", "ADD"}}, deep), 1);
  EXPECT_EQ(ErrorOnStdout().substr(0, 41), "6 1.1.0 error unmarshall network config: ");
}

TEST_F(MainTest, RefusesItsOwnNetnsBeforeAnyWork) {
  for (const char* verb : {"ADD", "CHECK"}) {
    out_ = FakeStream();
    EXPECT_EQ(Run({{"CNI_COMMAND", verb}, {"CNI_NETNS", kOwnNetns}}), 1);
    EXPECT_EQ(ErrorOnStdout(),
              "8 1.1.0 plugin's netns and netns from CNI_NETNS should not be the same | "
              "/proc/self/ns/net");
  }
  EXPECT_TRUE(script.calls.empty());
}

TEST_F(MainTest, WorksInItsOwnNetnsWhenToldTo) {
  EXPECT_EQ(Run({{"CNI_COMMAND", "ADD"}, {"CNI_NETNS", kOwnNetns}, {"CNI_NETNS_OVERRIDE", "1"}}),
            0);
  EXPECT_EQ(script.calls, std::vector<std::string>{"ADD n c1 /proc/self/ns/net"});
}

TEST_F(MainTest, DeletesWithoutANetnsThatHasBecomeItsOwn) {
  EXPECT_EQ(Run({{"CNI_COMMAND", "DEL"}, {"CNI_NETNS", kOwnNetns}}), 0);
  EXPECT_EQ(script.calls, std::vector<std::string>{"DEL n c1 "});
  EXPECT_NE(warnings_.find("should not be the same"), std::string::npos);
}

TEST_F(MainTest, DeletesWhateverTheBodyHolds) {
  for (const char* body : {"", "{", "[]", R"({"name":7})"}) {
    EXPECT_EQ(Run({{"CNI_COMMAND", "DEL"}}, body), 0) << body;
    EXPECT_EQ(script.calls.back(), "DEL  c1 /gone");
    EXPECT_NE(warnings_.find("DEL goes on"), std::string::npos);
  }
  EXPECT_EQ(RunWith({{"CNI_COMMAND", "DEL"}}, -1, out_.fd()), 0);
  EXPECT_EQ(script.calls.size(), 5U);
  EXPECT_EQ(out_.Text(), "");
}

TEST_F(MainTest, DeletesWhateverTheVersion) {
  plugin_ = &kNarrow;
  EXPECT_EQ(Run({{"CNI_COMMAND", "DEL"}}), 0);
  EXPECT_EQ(script.calls, std::vector<std::string>{"DEL n c1 /gone"});
  EXPECT_EQ(warnings_,
            "cnm: DEL goes on: incompatible CNI versions; config is \"1.1.0\", plugin supports "
            "[\"0.4.0\"]\n");
}

TEST_F(MainTest, UndoesAnAddWhoseResultCannotBePrinted) {
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ::close(ends[0]);
  const Fd broken(ends[1]);
  for (const int out : {full.get(), broken.get(), -1}) {
    script.calls.clear();
    in_ = FakeStream(kConfig);
    EXPECT_EQ(RunWith({{"CNI_COMMAND", "ADD"}}, in_.fd(), out), 1);
    EXPECT_EQ(script.calls, (std::vector<std::string>{"ADD n c1 /gone", "DEL n c1 /gone"}));
    EXPECT_NE(warnings_.find("write stdout"), std::string::npos) << warnings_;
  }
}

TEST_F(MainTest, UndoesAnAddWhoseResultTheVersionCannotSay) {
  EXPECT_EQ(Run({{"CNI_COMMAND", "ADD"}}, R"({"cniVersion":"0.2.0","name":"n"})"), 1);
  EXPECT_EQ(script.calls, (std::vector<std::string>{"ADD n c1 /gone", "DEL n c1 /gone"}));
  EXPECT_EQ(ErrorOnStdout(), "7 0.2.0 cannot convert: no valid IP addresses");
}

TEST_F(MainTest, LogsEveryCallThatWorks) {
  const Error error(Code::kTryAgain, "busy");
  Run({{"CNI_COMMAND", "ADD"}});
  script.error = &error;
  Run({{"CNI_COMMAND", "DEL"}});
  Run({{"CNI_COMMAND", "FOO"}}, "x");
  const std::vector<std::string> lines = Log();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_NE(lines[0].find(R"("verb":"ADD","plugin":"fake","network":"n","container":"c1")"),
            std::string::npos)
      << lines[0];
  EXPECT_NE(lines[0].find(R"("code":0,"steps":{"read":)"), std::string::npos) << lines[0];
  EXPECT_NE(lines[1].find(R"("code":11,"msg":"busy")"), std::string::npos) << lines[1];
  EXPECT_NE(lines[2].find(R"("verb":"FOO")"), std::string::npos) << lines[2];
}

}  // namespace
}  // namespace cnm::cni
