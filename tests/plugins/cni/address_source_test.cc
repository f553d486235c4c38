// address_source_test.cc: addresses from the IPAM plugin a configuration names.
#include "plugins/cni/address_source.h"

#include <string>

#include <gtest/gtest.h>

#include "plugins/cni/delegate.h"
#include "tests/plugins/cni/fake_world.h"
#include "tests/plugins/cni/thrown.h"

namespace cnm::cni {
namespace {

constexpr const char* kConfig = R"({"cniVersion":"1.1.0","name":"n","x":"<&>"})";

class DelegateSource : public testing::Test {
 protected:
  DelegateSource() {
    call_.container_id = "c1";
    call_.netns = "/run/netns/x";
    call_.ifname = "eth0";
    call_.args = "IP=192.0.2.9";
    call_.path = directory_.path();
    call_.config = kConfig;
    DecodeConfig(call_);
  }

  /// An IPAM plugin that keeps what it was given as files VERB.env and VERB.stdin.
  void WriteIpam(const std::string& ending) {
    directory_.Script("ipam", "cat > '" + directory_.path() + "'/$CNI_COMMAND.stdin; env > '" +
                                  directory_.path() + "'/$CNI_COMMAND.env\n" + ending);
  }
  std::string Given(const std::string& name) { return ReadFile(directory_ / name).value_or("-"); }

  TemporaryDirectory directory_;
  FakeEnvironment environment_{{{"PATH", "/usr/bin:/bin"}}};
  StepTimes steps_;
  Delegates delegates_{{}, environment_.get()};
  Call call_{.verb = Verb::kAdd, .steps = steps_, .delegates = delegates_};
};

TEST_F(DelegateSource, GivesWhatThePluginsAddPrints) {
  WriteIpam(R"(echo '{"cniVersion":"1.1.0","ips":[{"address":"192.0.2.9/24","gateway":"192.0.2.1"},
      {"address":"2001:db8::9/64"}],"routes":[{"dst":"0.0.0.0/0"}],"dns":{"domain":"d"}}')");
  const Addressing got = Delegate(call_, "ipam").Request();
  ASSERT_EQ(got.addresses.size(), 2U);
  EXPECT_EQ(got.addresses[0].prefix.ToString(), "192.0.2.9/24");
  EXPECT_EQ(got.addresses[0].gateway->ToString(), "192.0.2.1");
  EXPECT_EQ(got.addresses[1].gateway, std::nullopt);
  EXPECT_EQ(got.routes.at(0).destination.ToString(), "0.0.0.0/0");
  EXPECT_EQ(got.dns.domain, "d");
  EXPECT_EQ(Given("ADD.stdin"), kConfig);
}

TEST_F(DelegateSource, ChecksAndReleasesWithTheSameCall) {
  WriteIpam("");
  Delegate source(call_, "ipam");
  source.Check();
  source.Release();
  EXPECT_EQ(Given("CHECK.stdin"), kConfig);
  EXPECT_EQ(Given("DEL.stdin"), kConfig);
  EXPECT_EQ(Given("ADD.stdin"), "-");
}

TEST_F(DelegateSource, PassesThePluginsError) {
  WriteIpam(R"(echo '{"code":100,"msg":"no IP addresses available"}'; exit 1)");
  EXPECT_EQ(Thrown([&] { Delegate(call_, "ipam").Request(); }), "100 no IP addresses available");
  EXPECT_EQ(Thrown([&] { Delegate(call_, "").Request(); }), "7 no plugin name provided");
}

TEST_F(DelegateSource, IsMadeAgainFromItsJournal) {
  WriteIpam("");
  const std::string journal = Delegate(call_, "ipam").Journal();
  Call other{.verb = Verb::kGc, .steps = steps_, .delegates = delegates_};
  other.network = "another";
  Delegate again = Delegate::FromJournal(journal, other);
  EXPECT_EQ(again.Journal(), journal);
  again.Release();
  EXPECT_EQ(Given("DEL.stdin"), kConfig);
  const std::string env = Given("DEL.env");
  for (const char* wanted : {"CNI_CONTAINERID=c1\n", "CNI_NETNS=/run/netns/x\n",
                             "CNI_IFNAME=eth0\n", "CNI_ARGS=IP=192.0.2.9\n"}) {
    EXPECT_NE(env.find(wanted), std::string::npos) << wanted;
  }
}

TEST_F(DelegateSource, RefusesATextThatIsNoJournal) {
  for (const char* text : {"", "[]", "{}", R"({"type":"ipam"})", R"({"type":7})"}) {
    EXPECT_NE(Thrown([&] { Delegate::FromJournal(text, call_); }), "") << text;
  }
}

TEST_F(DelegateSource, TakesAPluginThatDoesNotKnowStatusForReady) {
  call_.verb = Verb::kStatus;
  WriteIpam(R"(echo '{"code":4,"msg":"unknown CNI_COMMAND: STATUS"}'; exit 1)");
  EXPECT_EQ(Thrown([&] { DelegateStatus(call_, "ipam"); }), "");
  WriteIpam(R"(echo '{"code":51,"msg":"pool is full"}'; exit 1)");
  EXPECT_EQ(Thrown([&] { DelegateStatus(call_, "ipam"); }), "51 pool is full");
}

TEST_F(DelegateSource, IsUnavailableWithoutItsPlugin) {
  call_.verb = Verb::kStatus;
  EXPECT_EQ(Thrown([&] { DelegateStatus(call_, "none"); }).substr(0, 31),
            "50 failed to find plugin \"none\"");
}

TEST_F(DelegateSource, ForwardsGcToAPluginThatKnowsIt) {
  call_.verb = Verb::kGc;
  WriteIpam("");
  DelegateGc(call_, "ipam");
  EXPECT_EQ(Given("GC.stdin"), kConfig);
  WriteIpam(R"(echo '{"code":4,"msg":"unknown CNI_COMMAND: GC"}'; exit 1)");
  EXPECT_EQ(Thrown([&] { DelegateGc(call_, "ipam"); }), "");
  WriteIpam(R"(echo '{"code":4,"msg":"invalid characters"}'; exit 1)");
  EXPECT_EQ(Thrown([&] { DelegateGc(call_, "ipam"); }), "4 invalid characters");
}

}  // namespace
}  // namespace cnm::cni
