// subprocess_test.cc: running programs.
#include "common/base/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/base/fd.h"

namespace cnm {
namespace {

using Clock = std::chrono::steady_clock;

Command Shell(const std::string& script) {
  return {.path = "/bin/sh", .arguments = {"sh", "-c", script}};
}

std::string Failure(const Command& command) {
  try {
    cnm::Run(command);
  } catch (const Error& e) {
    return fmt::format("{}{}", e.code() == Code::kTryAgain ? "try again: " : "", e.message());
  }
  return "";
}

TEST(Subprocess, FeedsAndDrainsMoreThanAPipeHolds) {
  const std::string text(1'000'000, 'x');
  Command cat{.path = "/bin/cat", .arguments = {"cat"}};
  cat.input = text;
  const CommandResult result = cnm::Run(cat);
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.output, text);
}

TEST(Subprocess, GivesAnEmptyInputItsEnd) {
  EXPECT_EQ(cnm::Run({.path = "/bin/cat", .arguments = {"cat"}}).output, "");
}

TEST(Subprocess, ReportsStatusAndSignal) {
  EXPECT_EQ(cnm::Run(Shell("exit 3")).exit_status, 3);
  EXPECT_EQ(cnm::Run(Shell("kill -TERM $$")).exit_status, 128 + 15);
}

TEST(Subprocess, PassesExactlyTheArgumentsAndEnvironment) {
  Command command = Shell("echo \"$0|$1|$A\"; /usr/bin/env | sort");
  command.arguments.insert(command.arguments.end(), {"zero", "two words"});
  command.environment = {"A=b c", "TRACEPARENT=x"};
  EXPECT_TRUE(cnm::Run(command).output.starts_with("zero|two words|b c\nA=b c\n"));
  EXPECT_EQ(cnm::Run({.path = "/usr/bin/env", .arguments = {"env"}, .environment = {"A=1"}}).output,
            "A=1\n");
}

TEST(Subprocess, NamesAProgramThatIsNotThere) {
  EXPECT_EQ(Failure({.path = "/nonexistent/x", .arguments = {"x"}}),
            "run /nonexistent/x: No such file or directory");
  EXPECT_EQ(Failure({.path = "/dev/null", .arguments = {"x"}}), "run /dev/null: Permission denied");
}

TEST(Subprocess, WaitsForAProgramThatIsBeingInstalled) {
  std::string file = "/tmp/cnm-subprocess-XXXXXX";
  Fd writer(::mkostemp(file.data(), O_CLOEXEC));
  WriteAll(writer.get(), "#!/bin/sh\necho done\n", file);
  ::fchmod(writer.get(), 0700);
  // The timer only makes it likely that the first try meets the open file.
  const std::jthread installer([&] {
    ::poll(nullptr, 0, 50);
    writer.Close();
  });
  EXPECT_EQ(cnm::Run({.path = file, .arguments = {file}}).output, "done\n");
  ::unlink(file.c_str());
}

TEST(Subprocess, SurvivesAProgramThatDoesNotRead) {
  const std::string text(1'000'000, 'x');
  Command command = Shell("exec 0<&-; echo done");
  command.input = text;
  EXPECT_EQ(cnm::Run(command).output, "done\n");
}

TEST(Subprocess, TheProgramDiesOfABrokenPipeAsUsual) {
  EXPECT_EQ(cnm::Run(Shell("kill -PIPE $$")).exit_status, 128 + 13);
}

TEST(Subprocess, KillsWhatIsSilentForTooLong) {
  // The second closes its output and goes on; the third has not read its input.
  const std::string text(1'000'000, 'x');
  for (const char* script : {"exec sleep 60", "exec sleep 60 >&-", "exec sleep 60 <&0"}) {
    Command command = Shell(script);
    command.input = text;
    command.seconds = 1;
    const auto start = Clock::now();
    EXPECT_EQ(Failure(command), "try again: run /bin/sh: no answer after 1 s") << script;
    EXPECT_LT(Clock::now() - start, std::chrono::seconds(10)) << script;
  }
}

TEST(Subprocess, LimitsTheOutput) {
  Command yes{.path = "/usr/bin/yes", .arguments = {"yes"}};
  yes.output_limit = 10'000;
  EXPECT_EQ(Failure(yes), "run /usr/bin/yes: printed more than 10000 bytes");
}

}  // namespace
}  // namespace cnm
