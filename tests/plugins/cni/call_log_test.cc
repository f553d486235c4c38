// call_log_test.cc: one line about each call in the flight recorder.
#include "plugins/cni/call_log.h"

#include <sys/stat.h>

#include <ctime>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/log.h"
#include "common/json/object.h"
#include "plugins/cni/delegate.h"
#include "tests/plugins/cni/fake_world.h"

namespace cnm::cni {
namespace {

class CallLog : public testing::Test {
 protected:
  FakeEnvironment nothing_{{}};
  StepTimes steps_;
  Delegates delegates_{{}, nothing_.get()};
  Call call_{.verb = Verb::kAdd, .steps = steps_, .delegates = delegates_};
};

std::string Text(const json::Object& object, std::string_view key) {
  std::string text;
  object.Required(key, text);
  return text;
}

TEST_F(CallLog, HoldsWhatAnOperatorAsksFor) {
  call_.network = "blue";
  call_.container_id = "c1";
  call_.ifname = "eth0";
  call_.runtime = "/usr/bin/containerd";
  steps_.Mark("read");
  steps_.Mark("link");
  const json::Object line = json::Parse(
      LogLine(call_, "bridge", {.verb = "ADD", .number = 11, .message = "busy"}), "log");
  EXPECT_EQ(line.Keys(),
            (std::vector<std::string>{"time", "pid", "verb", "plugin", "network", "container",
                                      "ifname", "runtime", "code", "msg", "steps"}));
  EXPECT_EQ(Text(line, "verb"), "ADD");
  EXPECT_EQ(Text(line, "network"), "blue");
  EXPECT_EQ(Text(line, "runtime"), "/usr/bin/containerd");
  EXPECT_EQ(Text(line, "msg"), "busy");
  int64_t code = 0;
  line.Optional("code", code);
  EXPECT_EQ(code, 11);
  EXPECT_EQ(line.RequiredObject("steps").Keys(), (std::vector<std::string>{"read", "link"}));
}

TEST_F(CallLog, TellsTheTimeInUtc) {
  const std::string before = LogLine(call_, "bridge", {.verb = "DEL"});
  std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  EXPECT_EQ(before.substr(9, 13), fmt::format("{:04}-{:02}-{:02}T{:02}", utc.tm_year + 1900,
                                              utc.tm_mon + 1, utc.tm_mday, utc.tm_hour));
  EXPECT_EQ(before.substr(28, 1), ".");
  EXPECT_EQ(before.substr(32, 2), "Z\"");
}

TEST_F(CallLog, LeavesOutTheMessageOfASuccess) {
  EXPECT_EQ(LogLine(call_, "bridge", {.verb = "DEL"}).find("msg"), std::string::npos);
}

TEST_F(CallLog, StaysWholeJsonWithinASlotWhateverTheValues) {
  for (const std::string& filler : {std::string(5000, 'x'), std::string(5000, '<'),
                                    std::string(5000, '\x01'), std::string(5000, '\xff')}) {
    call_.network = call_.container_id = call_.ifname = call_.runtime = filler;
    for (int i = 0; i < 50; ++i) steps_.Mark("step");
    const std::string line =
        LogLine(call_, "bridge", {.verb = filler, .number = 7, .message = filler});
    EXPECT_LT(line.size(), RingLog::kSlotBytes);
    EXPECT_NO_THROW(json::Parse(line, "log")) << line;
  }
}

TEST_F(CallLog, MakesItsDirectoryForRootAlone) {
  const TemporaryDirectory parent;
  AppendToLog(parent / "cnm", "{}");
  struct stat status {};
  ASSERT_EQ(::stat((parent / "cnm").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0700U);
  EXPECT_EQ(RingLog(parent / "cnm/log").Read(), std::vector<std::string>{"{}"});
}

TEST_F(CallLog, DoesNotMindADirectoryThatCannotBeMade) {
  AppendToLog("/proc/no-such-directory/cnm", "{}");
}

}  // namespace
}  // namespace cnm::cni
