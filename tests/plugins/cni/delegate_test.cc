// delegate_test.cc: finding and calling other plugins.
#include "plugins/cni/delegate.h"

#include <array>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "common/base/error.h"
#include "tests/plugins/cni/fake_world.h"
#include "tests/plugins/cni/thrown.h"

namespace cnm::cni {
namespace {

namespace fs = std::filesystem;

Result AddInside(const Call& call) {
  if (call.ifname == "busy") throw Error(Code::kTryAgain, "busy", "in process");
  return {.interfaces = {{.name = "inside", .sandbox = call.netns}}};
}
constexpr Plugin kInside = {.name = "inside", .add = AddInside};
constexpr std::array<const Plugin*, 1> kRegistry = {&kInside};

class DelegateTest : public testing::Test {
 protected:
  DelegateTest() {
    call_.container_id = "c1";
    call_.netns = "/run/netns/x";
    call_.ifname = "eth0";
    call_.path = directory_.path();
    call_.config = R"({"cniVersion":"1.0.0","name":"n"})";
    DecodeConfig(call_);
  }
  std::string Run(const std::string& type) {
    return Thrown([&] { result_ = delegates_.Run(type, call_); });
  }

  TemporaryDirectory directory_;
  FakeEnvironment environment_{{{"PATH", "/usr/bin:/bin"},
                                {"CNI_COMMAND", "old"},
                                {"CNI_IFNAME", "old"},
                                {"TRACEPARENT", "kept"}}};
  StepTimes steps_;
  Delegates delegates_{kRegistry, environment_.get()};
  Call call_{.verb = Verb::kAdd, .steps = steps_, .delegates = delegates_};
  std::optional<Result> result_;
};

TEST_F(DelegateTest, ExplainsWhyNoPluginWasFound) {
  fs::create_directory(directory_ / "folder");
  EXPECT_EQ(Thrown([] { FindExecutable("", "/a"); }), "7 no plugin name provided");
  EXPECT_EQ(Thrown([] { FindExecutable("../x", "/a"); }), "7 invalid plugin name: ../x");
  EXPECT_EQ(Thrown([] { FindExecutable("x", ""); }), "4 no paths provided");
  EXPECT_EQ(Thrown([] { FindExecutable("x", "/a:/b"); }),
            "104 failed to find plugin \"x\" in path [/a /b]");
  EXPECT_EQ(Run("folder"),
            "104 failed to find plugin \"folder\" in path [" + directory_.path() + "]");
}

TEST_F(DelegateTest, FindsTheFirstRegularFile) {
  const std::string file = directory_.Script("x", "");
  EXPECT_EQ(FindExecutable("x", "/nowhere:" + directory_.path() + ":/bin"), file);
}

TEST_F(DelegateTest, GivesAProgramTheSameInputAndTheCallsVariables) {
  directory_.Script("probe", "cat > " + directory_.path() + "/stdin; env > " + directory_.path() +
                                 "/env; echo '{\"cniVersion\":\"1.0.0\"}'");
  EXPECT_EQ(Run("probe"), "");
  EXPECT_EQ(ReadFile(directory_ / "stdin"), call_.config);
  const std::string env = "\n" + ReadFile(directory_ / "env").value();
  for (const std::string wanted :
       {"CNI_COMMAND=ADD", "CNI_CONTAINERID=c1", "CNI_NETNS=/run/netns/x", "CNI_IFNAME=eth0",
        "CNI_ARGS=", "TRACEPARENT=kept"}) {
    EXPECT_NE(env.find("\n" + wanted + "\n"), std::string::npos) << wanted << " in " << env;
  }
  EXPECT_EQ(env.find("=old"), std::string::npos);
}

TEST_F(DelegateTest, ReadsAProgramsResultInItsOwnVersion) {
  directory_.Script("early", R"(echo '{"cniVersion":"0.2.0","ip4":{"ip":"192.0.2.7/24"}}')");
  EXPECT_EQ(Run("early"), "");
  EXPECT_EQ(result_->ips.at(0).address.ToString(), "192.0.2.7/24");
}

TEST_F(DelegateTest, PassesAProgramsErrorUnchanged) {
  directory_.Script("bad", R"(echo '{"code":123,"msg":"no","details":"why"}'; exit 1)");
  EXPECT_EQ(Run("bad"), "123 no | why");
  directory_.Script("silent", "exit 3");
  EXPECT_EQ(Run("silent"), "999 netplugin failed with no error message: exit status 3");
}

TEST_F(DelegateTest, RefusesAResultThatIsNone) {
  const std::string file = directory_.Script("noise", "echo hello");
  EXPECT_EQ(Run("noise").substr(0, file.size() + 10), "6 " + file + ": result");
}

TEST_F(DelegateTest, WantsNoResultOfOtherVerbs) {
  directory_.Script("quiet", "exit 0");
  call_.verb = Verb::kDel;
  EXPECT_EQ(Run("quiet"), "");
  EXPECT_EQ(result_, std::nullopt);
}

TEST_F(DelegateTest, SaysThatAFileCannotBeExecuted) {
  const std::string file = directory_.Script("plain", "");
  fs::permissions(file, fs::perms::owner_read);
  EXPECT_EQ(Run("plain"), "5 run " + file + ": Permission denied");
}

TEST_F(DelegateTest, CallsItsOwnProgramInProcess) {
  fs::create_symlink("/proc/self/exe", directory_ / "inside");  // same file as a hard link would be
  EXPECT_EQ(Run("inside"), "");
  EXPECT_EQ(result_->interfaces.at(0).name, "inside");
  EXPECT_EQ(result_->interfaces.at(0).sandbox, "/run/netns/x");
}

TEST_F(DelegateTest, CallsACopyOfItsOwnProgramInProcess) {
  fs::copy_file("/proc/self/exe", directory_ / "inside");
  EXPECT_EQ(Run("inside"), "");
  EXPECT_EQ(result_->interfaces.at(0).name, "inside");
}

TEST_F(DelegateTest, ExecutesAnotherProgramOfAKnownName) {
  directory_.Script("inside", R"(echo '{"interfaces":[{"name":"outside"}]}')");
  EXPECT_EQ(Run("inside"), "");
  EXPECT_EQ(result_->interfaces.at(0).name, "outside");
}

TEST_F(DelegateTest, PassesTheErrorOfAnInProcessPluginUnchanged) {
  fs::create_symlink("/proc/self/exe", directory_ / "inside");
  call_.ifname = "busy";
  EXPECT_EQ(Run("inside"), "11 busy | in process");
}

TEST_F(DelegateTest, ChecksTheVersionGateOfAnInProcessPlugin) {
  fs::create_symlink("/proc/self/exe", directory_ / "inside");
  call_.version = "9.0.0";
  EXPECT_EQ(Run("inside").substr(0, 27), "1 incompatible CNI versions");
}

}  // namespace
}  // namespace cnm::cni
