// call_test.cc: a call decoded from the environment and standard input.
#include "plugins/cni/call.h"

#include <unistd.h>

#include <map>
#include <string>

#include <gtest/gtest.h>

#include "plugins/cni/delegate.h"
#include "tests/plugins/cni/fake_world.h"
#include "tests/plugins/cni/thrown.h"

namespace cnm::cni {
namespace {

using Variables = std::map<std::string, std::string>;

class CallTest : public testing::Test {
 protected:
  Call MakeCall(Verb verb) { return Call{.verb = verb, .steps = steps_, .delegates = delegates_}; }

  std::string Environ(Verb verb, const Variables& variables) {
    const FakeEnvironment environment(variables);
    Call call = MakeCall(verb);
    return Thrown([&] { DecodeEnvironment(environment.get(), call); });
  }

  std::string Config(Verb verb, std::string text) {
    call_.emplace(MakeCall(verb));
    call_->config = std::move(text);
    return Thrown([&] { DecodeConfig(*call_); });
  }

  FakeEnvironment nothing_{{}};
  StepTimes steps_;
  Delegates delegates_{{}, nothing_.get()};
  std::optional<Call> call_;
};

TEST_F(CallTest, ReportsAllMissingVariablesAtOnce) {
  EXPECT_EQ(Environ(Verb::kAdd, {}),
            "4 required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH] missing");
  EXPECT_EQ(Environ(Verb::kCheck, {{"CNI_PATH", "/x"}}),
            "4 required env variables [CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME] missing");
  EXPECT_EQ(Environ(Verb::kDel, {{"CNI_IFNAME", ""}}),
            "4 required env variables [CNI_CONTAINERID,CNI_IFNAME,CNI_PATH] missing");
  EXPECT_EQ(Environ(Verb::kGc, {}), "4 required env variables [CNI_PATH] missing");
  EXPECT_EQ(Environ(Verb::kStatus, {}), "4 required env variables [CNI_PATH] missing");
  EXPECT_EQ(Environ(Verb::kUnknown, {}), "");
}

TEST_F(CallTest, ReportsAnInvalidValueBeforeMissingOnes) {
  EXPECT_EQ(Environ(Verb::kAdd, {{"CNI_CONTAINERID", "a/b"}}),
            "4 invalid characters in containerID | a/b");
  EXPECT_EQ(Environ(Verb::kDel, {{"CNI_IFNAME", ".."}}), "4 interface name is . or ..");
}

TEST_F(CallTest, JudgesOnlyWhatTheVerbNeeds) {
  EXPECT_EQ(Environ(Verb::kStatus,
                    {{"CNI_PATH", "/x"}, {"CNI_CONTAINERID", "a/b"}, {"CNI_IFNAME", ".."}}),
            "");
}

TEST_F(CallTest, TakesEveryVariable) {
  const FakeEnvironment environment({{"CNI_CONTAINERID", "c1"},
                                     {"CNI_NETNS", "/run/netns/x"},
                                     {"CNI_IFNAME", "eth0"},
                                     {"CNI_ARGS", "IP=192.0.2.1"},
                                     {"CNI_PATH", "/a:/b"},
                                     {"CNI_NETNS_OVERRIDE", "true"},
                                     {"TRACEPARENT", "00-x"}});
  Call call = MakeCall(Verb::kAdd);
  DecodeEnvironment(environment.get(), call);
  EXPECT_EQ(call.container_id, "c1");
  EXPECT_EQ(call.netns, "/run/netns/x");
  EXPECT_EQ(call.ifname, "eth0");
  EXPECT_EQ(call.args, "IP=192.0.2.1");
  EXPECT_EQ(call.path, "/a:/b");
  EXPECT_TRUE(call.netns_override);
}

TEST_F(CallTest, TakesTheOverrideAs1OrTrueInAnyCase) {
  const std::pair<const char*, bool> table[] = {{"1", true},    {"TRUE", true}, {"True", true},
                                                {"true", true}, {"", false},    {"0", false},
                                                {"yes", false}, {"t", false},   {"truex", false}};
  for (const auto& [value, expected] : table) {
    const FakeEnvironment environment({{"CNI_PATH", "/x"}, {"CNI_NETNS_OVERRIDE", value}});
    Call call = MakeCall(Verb::kGc);
    DecodeEnvironment(environment.get(), call);
    EXPECT_EQ(call.netns_override, expected) << value;
  }
}

TEST_F(CallTest, DecodesTheConfiguration) {
  EXPECT_EQ(Config(Verb::kAdd, R"({"cniVersion":"1.0.0","name":"n1","prevResult":{}})"), "");
  EXPECT_EQ(call_->version, "1.0.0");
  EXPECT_EQ(call_->network, "n1");
  EXPECT_TRUE(call_->conf.has_value());
  EXPECT_EQ(call_->prev_result, Result{});
}

TEST_F(CallTest, TakesAnAbsentVersionForTheOldest) {
  for (const char* text : {R"({"name":"n"})", R"({"name":"n","cniVersion":""})",
                           R"({"name":"n","cniVersion":null})"}) {
    EXPECT_EQ(Config(Verb::kAdd, text), "");
    EXPECT_EQ(call_->version, "0.1.0");
  }
}

TEST_F(CallTest, MatchesKeysAsGoDoes) {
  EXPECT_EQ(Config(Verb::kAdd, R"({"CNIVERSION":"0.4.0","Name":"n"})"), "");
  EXPECT_EQ(call_->version, "0.4.0");
  EXPECT_EQ(Config(Verb::kAdd, R"({"NAME":"other","name":"n"})"), "");
  EXPECT_EQ(call_->network, "n");
}

TEST_F(CallTest, RefusesWhatIsNoConfiguration) {
  for (const char* text : {"", "x", "[]", "{", R"({"name":7})", R"({"name":"n","cniVersion":1})",
                           R"({"name":"n"}x)", "\xef\xbb\xbf{\"name\":\"n\"}"}) {
    EXPECT_EQ(Config(Verb::kAdd, text).substr(0, 33), "6 error unmarshall network config") << text;
  }
}

TEST_F(CallTest, RefusesAConfigurationWithoutUsableName) {
  EXPECT_EQ(Config(Verb::kAdd, "{}"), "7 missing network name");
  EXPECT_EQ(Config(Verb::kStatus, R"({"name":""})"), "7 missing network name");
  EXPECT_EQ(Config(Verb::kGc, R"({"name":"../n"})"),
            "7 invalid characters found in network name | ../n");
}

TEST_F(CallTest, RefusesABrokenPrevResultWhereItIsUsed) {
  const char* text = R"({"cniVersion":"1.1.0","name":"n","prevResult":{"ips":[{}]}})";
  EXPECT_EQ(Config(Verb::kCheck, text).substr(0, 28), "7 could not parse prevResult");
  EXPECT_EQ(Config(Verb::kStatus, text), "");
}

TEST_F(CallTest, DoesNotLetTheBodyStopADel) {
  EXPECT_EQ(Config(Verb::kDel, ""), "");
  EXPECT_FALSE(call_->conf.has_value());
  EXPECT_EQ(call_->network, "");
  EXPECT_EQ(Config(Verb::kDel, R"({"name":"n","cniVersion":7})"), "");
  EXPECT_EQ(call_->network, "n");
  EXPECT_EQ(Config(Verb::kDel, R"({"name":"../n"})"), "");
  EXPECT_EQ(call_->network, "");
  EXPECT_EQ(Config(Verb::kDel, R"({"name":"n","cniVersion":"1.0.0","prevResult":{"ips":[{}]}})"),
            "");
  EXPECT_EQ(call_->prev_result, std::nullopt);
  EXPECT_EQ(call_->network, "n");
}

TEST_F(CallTest, WarnsOfUnknownKeysButNotOfWhatLibcniInjects) {
  Config(Verb::kAdd, R"({"cniVersion":"1.1.0","name":"n","type":"bridge","capabilities":{},
      "ipam":{},"dns":{},"prevResult":{},"args":{},"runtimeConfig":{},"cni.dev/attachments":[],
      "cni.dev/valid-attachments":[],"bridgee":"x"})");
  call_->conf->Has("bridge");
  testing::internal::CaptureStderr();
  WarnUnknownKeys(*call_);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "cnm: $.bridgee: unknown, did you mean bridge?\n");
}

TEST(RuntimeExecutable, IsTheParents) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const std::string name = RuntimeExecutable();
    ::_exit(::write(ends[1], name.data(), name.size()) < 0 ? 1 : 0);
  }
  ::close(ends[1]);
  EXPECT_EQ(ReadAll(ends[0], 4096, "child"), std::filesystem::read_symlink("/proc/self/exe"));
  ::close(ends[0]);
}

}  // namespace
}  // namespace cnm::cni
