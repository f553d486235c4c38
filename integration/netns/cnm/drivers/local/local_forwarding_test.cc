// local_forwarding_test.cc: what a network has forwarded where the host drops: once for all its
// endpoints, judged by traffic and iptables-save.
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "integration/netns/cnm/drivers/local/local_site.h"

namespace cnm::local {
namespace {

/// The parameter is the variant of iptables.
class Forwarding : public LocalDriverTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    LocalDriverTest::SetUp();
    if (!IsSkipped()) UseIptables(GetParam());
  }

  static void Drop() {
    Shell("iptables -N DOCKER-USER; iptables -I FORWARD -j DOCKER-USER; iptables -P FORWARD DROP");
  }
  void MakeBlue() const {
    driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24"));
  }
  /// Red: blue's addresses, and IPv6.
  static NetworkConfig MakeDual(const std::string& options) {
    NetworkConfig dual = MakeNetwork(kRed, "192.0.2.0/24", "192.0.2.1/24", options);
    dual.enable_ipv6 = true;
    dual.ipv6 = {{.address_space = "LocalDefault",
                  .pool = Cidr("2001:db8::/64"),
                  .gateway = Cidr("2001:db8::1/64")}};
    return dual;
  }
  /// The rules that forward, without their options.
  static std::string Rules(const std::string& program = "iptables") {
    return Shell(fmt::format(
        "{}-save -t filter | grep -oE -e '-A CNI-FORWARD -[sd] [0-9a-f:./]+' || true", program));
  }

  const std::string whole_ = "-A CNI-FORWARD -d 192.0.2.0/24\n-A CNI-FORWARD -s 192.0.2.0/24";
};

/// While it lives the program of this name fails.
class Broken {
 public:
  Broken(const std::string& root, const std::string& program) {
    if (const char* const path = ::getenv("PATH")) path_ = path;
    const std::string bin = root + "/broken";
    Shell(fmt::format("mkdir -p {0} && ln -sf /bin/false {0}/{1}", bin, program));
    ::setenv("PATH", fmt::format("{}:{}", bin, path_).c_str(), 1);
  }
  ~Broken() { ::setenv("PATH", path_.c_str(), 1); }
  Broken(const Broken&) = delete;
  Broken& operator=(const Broken&) = delete;

 private:
  std::string path_;
};

TEST_P(Forwarding, IsTheNetworksNotEachEndpoints) {
  Drop();
  MakeBlue();
  EXPECT_EQ(Rules(), whole_);
  const Outside outside;
  const OtherNetns a;
  const OtherNetns b;
  Attach(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"), a);
  Attach(MakeEndpoint(kBlue, "e2", "192.0.2.3/24"), b);
  EXPECT_TRUE(Pings(a, "198.51.100.9"));
  EXPECT_TRUE(Pings(b, "198.51.100.9"));
  EXPECT_EQ(Rules(), whole_);
  driver_->Leave(kBlue, "e1");
  driver_->DeleteEndpoint(kBlue, "e1");
  EXPECT_TRUE(Pings(b, "198.51.100.9"));
  driver_->Leave(kBlue, "e2");
  driver_->DeleteEndpoint(kBlue, "e2");
  driver_->DeleteNetwork(kBlue);
  EXPECT_EQ(Rules(), "");
}

TEST_P(Forwarding, FollowsAPolicyThatCameLater) {
  MakeBlue();
  const Outside outside;
  const OtherNetns a;
  const OtherNetns b;
  Attach(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"), a);
  EXPECT_EQ(Rules(), "");
  Drop();
  EXPECT_FALSE(Pings(a, "198.51.100.9"));
  Attach(MakeEndpoint(kBlue, "e2", "192.0.2.3/24"), b);
  EXPECT_EQ(Rules(), whole_);
  EXPECT_TRUE(Pings(a, "198.51.100.9")) << "for those that were there, too";
}

TEST_P(Forwarding, ComesBackWithAReloadOrAStart) {
  Drop();
  MakeBlue();
  const Outside outside;
  const OtherNetns a;
  Attach(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"), a);
  for (const bool start : {false, true}) {
    Shell("iptables -F && iptables -X CNI-FORWARD && iptables -I FORWARD -j DOCKER-USER");
    EXPECT_FALSE(Pings(a, "198.51.100.9"));
    if (start) {
      driver_.reset();
      driver_ = Open();
    } else {
      EXPECT_EQ(Reload().errors.size(), 0U);
    }
    EXPECT_EQ(Rules(), whole_);
    EXPECT_TRUE(Pings(a, "198.51.100.9"));
  }
}

TEST_P(Forwarding, StaysWhileAnotherDoorIsTiedToTheNetwork) {
  Drop();
  const std::string tied = R"({"cnm.network":"blue"})";
  NetworkConfig config = MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24", tied);
  driver_->CreateNetwork(config);
  const auto other = Open("api");
  config.id = kRed;
  other->CreateNetwork(config);
  driver_->DeleteNetwork(kBlue);
  EXPECT_EQ(Rules(), whole_);
  other->DeleteNetwork(kRed);
  EXPECT_EQ(Rules(), "");
}

TEST_P(Forwarding, IsThatOfEveryDoorsSubnets) {
  Drop();
  const std::string tied = R"({"cnm.network":"blue"})";
  driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24", tied));
  const auto other = Open("api");
  other->CreateNetwork(MakeDual(tied));
  EXPECT_EQ(Rules(), whole_);
  EXPECT_EQ(Rules("ip6tables"), "-A CNI-FORWARD -d 2001:db8::/64\n-A CNI-FORWARD -s 2001:db8::/64");
  other->DeleteNetwork(kRed);
  driver_->DeleteNetwork(kBlue);
  EXPECT_EQ(Rules(), "");
  EXPECT_EQ(Rules("ip6tables"), "");
}

TEST_P(Forwarding, IsNobodysWithoutAddresses) {
  Drop();
  driver_->CreateNetwork(MakeNetwork(kBlue, "0.0.0.0/0", "0.0.0.0/0"));
  EndpointConfig bare{.network_id = kBlue, .id = "e1"};
  driver_->CreateEndpoint(bare);
  driver_->Join(kBlue, "e1", "/run/x", "");
  EXPECT_EQ(Rules(), "");
}

TEST_P(Forwarding, IsTriedAgainAfterAFailure) {
  if (GetParam() != std::string("nft")) return;  // the helper is found otherwise
  MakeBlue();
  driver_->CreateEndpoint(MakeEndpoint(kBlue, "e1", "192.0.2.2/24"));
  Drop();
  {
    const Broken program(root_, "iptables-nft-restore");
    EXPECT_NE(Failure([&] { driver_->Join(kBlue, "e1", "/run/x", ""); }), "");
  }
  driver_->Join(kBlue, "e1", "/run/x", "");
  EXPECT_EQ(Rules(), whole_);
}

TEST_P(Forwarding, OfOneDoorOutlastsAFailureOfAnother) {
  if (GetParam() != std::string("nft")) return;
  Drop();
  const std::string tied = R"({"cnm.network":"blue"})";
  driver_->CreateNetwork(MakeNetwork(kBlue, "192.0.2.0/24", "192.0.2.1/24", tied));
  const auto other = Open("api");
  {
    const Broken program(root_, "ip6tables-nft-restore");
    EXPECT_NE(Failure([&] { other->CreateNetwork(MakeDual(tied)); }), "");
  }
  EXPECT_EQ(Rules(), whole_);
  driver_->DeleteNetwork(kBlue);
  EXPECT_EQ(Rules(), "");
}

INSTANTIATE_TEST_SUITE_P(Iptables, Forwarding, ::testing::Values("nft", "legacy"),
                         [](const auto& variant) { return std::string(variant.param); });

}  // namespace
}  // namespace cnm::local
