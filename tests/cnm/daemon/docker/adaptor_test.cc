// adaptor_test.cc: Docker's plugin protocol as dockerd 20.10 speaks it, call by call.
#include "cnm/daemon/docker/adaptor.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/cnm/daemon/docker/fake_drivers.h"
#include "tests/common/http/http_test_server.h"

namespace cnm::docker {
namespace {

net::Address AddressOf(std::string_view text) {
  return net::Address::Parse(text).value();
}
net::Prefix PrefixOf(std::string_view text) {
  return net::Prefix::Parse(text).value();
}

class DockerAdaptor : public ::testing::Test {
 protected:
  /// The answer's status and body.
  std::string Post(std::string_view method, std::string_view body = "") {
    const auto answer = adaptor_.Handle(
        {.method = "POST", .target = fmt::format("/{}", method), .body = std::string(body)});
    EXPECT_TRUE(answer.body.ends_with('\n'));
    return fmt::format("{} {}", answer.status, answer.body.substr(0, answer.body.size() - 1));
  }
  static std::string Body(const http::Response& answer) { return answer.body; }

  Diary diary_;
  std::shared_ptr<FakeNetwork> network_ = std::make_shared<FakeNetwork>(diary_);
  std::shared_ptr<FakeIpam> ipam_ = std::make_shared<FakeIpam>(diary_);
  int activations_ = 0;
  Adaptor adaptor_{{.network = network_, .ipam = ipam_, .activated = [this] { ++activations_; }}};
};

TEST_F(DockerAdaptor, IsActivatedByCallsWithoutABody) {
  EXPECT_EQ(Post("Plugin.Activate"), R"(200 {"Implements":["NetworkDriver","IpamDriver"]})");
  EXPECT_EQ(activations_, 1);
  EXPECT_EQ(Post("NetworkDriver.GetCapabilities"),
            R"(200 {"Scope":"local","ConnectivityScope":"local"})");
  EXPECT_EQ(Post("IpamDriver.GetCapabilities"),
            R"(200 {"RequiresMACAddress":false,"RequiresRequestReplay":true})");
  EXPECT_EQ(
      Post("IpamDriver.GetDefaultAddressSpaces"),
      R"(200 {"LocalDefaultAddressSpace":"LocalDefault","GlobalDefaultAddressSpace":"GlobalDefault"})");
  EXPECT_EQ(diary_.Take(), "");
}

TEST_F(DockerAdaptor, MakesANetworkWithDockersOwnIpam) {
  EXPECT_EQ(
      Post("NetworkDriver.CreateNetwork",
           R"({"NetworkID":"n1","Options":{"com.docker.network.enable_ipv6":true,)"
           R"("com.docker.network.generic":{"com.docker.network.driver.mtu":"1400"},)"
           R"("com.docker.network.internal":true},"IPv4Data":[{"AddressSpace":"LocalDefault",)"
           R"("AuxAddresses":{"my":"10.62.0.200/24"},"Gateway":"10.62.0.128/24",)"
           R"("Pool":"10.62.0.0/24"}],"IPv6Data":[{"AddressSpace":"LocalDefault",)"
           R"("Gateway":"2001:db8::1/64","Pool":"2001:db8::/64"}]})"
           "\n"),
      "200 {}");
  EXPECT_EQ(
      diary_.Take(),
      R"(create network n1 {"com.docker.network.driver.mtu":"1400"} ipv6=true internal=true )"
      R"([{"AddressSpace":"LocalDefault","Pool":"10.62.0.0/24","Gateway":"10.62.0.128/24",)"
      R"("AuxAddresses":{"my":"10.62.0.200/24"}}] )"
      R"([{"AddressSpace":"LocalDefault","Pool":"2001:db8::/64","Gateway":"2001:db8::1/64"}])");
  EXPECT_EQ(Post("NetworkDriver.DeleteNetwork", R"({"NetworkID":"n1"})"), "200 {}");
  EXPECT_EQ(diary_.Take(), "delete network n1");
}

TEST_F(DockerAdaptor, ANetworkThatWasMadeStaysWhenItsRepetitionFails) {
  bool made = false;
  int gone = 0;
  const Adaptor adaptor(
      {.network = network_,
       .ipam = ipam_,
       .creating = [&](const auto& /*network*/) { return !std::exchange(made, true); },
       .deleted = [&](const auto& /*id*/) { ++gone; }});
  const http::Request create{
      .method = "POST", .target = "/NetworkDriver.CreateNetwork", .body = R"({"NetworkID":"n1"})"};
  EXPECT_EQ(adaptor.Handle(create).status, 200U);
  diary_.failure = Error(Code::kKernel, "no bridge today");
  EXPECT_EQ(adaptor.Handle(create).status, 500U);
  EXPECT_EQ(gone, 0) << "the network is there, and Docker will release its pools";
  made = false;
  EXPECT_EQ(adaptor.Handle(create).status, 500U);
  EXPECT_EQ(gone, 1);
}

TEST_F(DockerAdaptor, AnswersTheChosenMacAlone) {
  network_->chosen = {.mac = net::Mac::Parse("02:00:5e:10:00:01"),
                      .address = PrefixOf("10.60.0.2/24")};
  EXPECT_EQ(Post("NetworkDriver.CreateEndpoint",
                 R"({"NetworkID":"n1","EndpointID":"e1","Interface":{"Address":"10.60.0.2/24",)"
                 R"("AddressIPv6":"","MacAddress":""},"Options":{)"
                 R"("com.docker.network.endpoint.exposedports":[{"Proto":6,"Port":80}],)"
                 R"("com.docker.network.portmap":[{"Proto":6,"IP":"","Port":80,"HostIP":"",)"
                 R"("HostPort":8091,"HostPortEnd":8091}]}})"),
            R"(200 {"Interface":{"MacAddress":"02:00:5e:10:00:01"}})");
  EXPECT_EQ(
      diary_.Take(),
      R"(create endpoint n1/e1 {"Address":"10.60.0.2/24","AddressIPv6":"","MacAddress":""} 1 )"
      R"([{"Proto":6,"IP":"","Port":80,"HostIP":"","HostPort":8091,"HostPortEnd":8091}] )"
      R"({"com.docker.network.endpoint.exposedports":[{"Proto":6,"Port":80}],)"
      R"("com.docker.network.portmap":[{"Proto":6,"IP":"","Port":80,"HostIP":"",)"
      R"("HostPort":8091,"HostPortEnd":8091}]})");
}

TEST_F(DockerAdaptor, AnswersNoInterfaceWhenEverythingWasGiven) {
  network_->chosen = {.mac = net::Mac::Parse("02:00:00:00:00:77")};
  EXPECT_EQ(Post("NetworkDriver.CreateEndpoint",
                 R"({"NetworkID":"n1","EndpointID":"e1","Interface":{"Address":"10.60.0.77/24",)"
                 R"("AddressIPv6":"","MacAddress":"02:00:00:00:00:77"},"Options":{)"
                 R"("com.docker.network.endpoint.exposedports":[],)"
                 R"("com.docker.network.endpoint.macaddress":"AgAAAAB3",)"
                 R"("com.docker.network.portmap":[]}})"),
            "200 {}");
}

TEST_F(DockerAdaptor, TakesTheMacOfTheLabelWhenTheInterfaceHasNone) {
  Post("NetworkDriver.CreateEndpoint",
       R"({"NetworkID":"n1","EndpointID":"e1","Interface":{"Address":"10.60.0.77/24"},)"
       R"("Options":{"com.docker.network.endpoint.macaddress":"AgAAAAB3"}})");
  EXPECT_TRUE(diary_.Take().starts_with(R"(create endpoint n1/e1 {"Address":"10.60.0.77/24",)"
                                        R"("AddressIPv6":"","MacAddress":"02:00:00:00:00:77"})"));
}

TEST_F(DockerAdaptor, AnswersAJoinWithLinkGatewaysAndRoutes) {
  network_->joined = {.src_name = "p1",
                      .dst_prefix = "eth",
                      .gateway = AddressOf("10.60.0.1"),
                      .gateway_ipv6 = AddressOf("2001:db8::1"),
                      .routes = {{PrefixOf("198.51.100.0/24"), AddressOf("10.60.0.9")},
                                 {PrefixOf("203.0.113.0/24")}}};
  EXPECT_EQ(
      Post("NetworkDriver.Join", R"({"NetworkID":"n1","EndpointID":"e1","SandboxKey":)"
                                 R"("/run/dk/netns/a","Options":{"x":[]}})"),
      R"(200 {"InterfaceName":{"SrcName":"p1","DstPrefix":"eth"},"Gateway":"10.60.0.1",)"
      R"("GatewayIPv6":"2001:db8::1","StaticRoutes":[{"Destination":"198.51.100.0/24",)"
      R"("RouteType":0,"NextHop":"10.60.0.9"},{"Destination":"203.0.113.0/24","RouteType":1}]})");
  EXPECT_EQ(diary_.Take(), R"(join n1/e1 /run/dk/netns/a {"x":[]})");
}

TEST_F(DockerAdaptor, KeepsAnInternalNetworkOffDockersGatewayBridge) {
  network_->joined = {.src_name = "p1", .dst_prefix = "eth", .disable_gateway_service = true};
  EXPECT_EQ(
      Post("NetworkDriver.Join", R"({"NetworkID":"n1","EndpointID":"e1","SandboxKey":"/k"})"),
      R"(200 {"InterfaceName":{"SrcName":"p1","DstPrefix":"eth"},"DisableGatewayService":true})");
}

TEST_F(DockerAdaptor, PassesOnWhatHappensToAnEndpoint) {
  constexpr char kEndpoint[] = R"({"NetworkID":"n1","EndpointID":"e1"})";
  network_->info = R"({"com.docker.network.portmap":[]})";
  EXPECT_EQ(Post("NetworkDriver.ProgramExternalConnectivity",
                 R"({"NetworkID":"n1","EndpointID":"e1","Options":{"com.docker.network.portmap":)"
                 R"([{"Proto":17,"IP":"","Port":53,"HostIP":"","HostPort":0,"HostPortEnd":0}]}})"),
            "200 {}");
  EXPECT_EQ(diary_.Take(),
            R"(program n1/e1 [{"Proto":17,"IP":"","Port":53,"HostIP":"","HostPort":0,)"
            R"("HostPortEnd":0}])");
  EXPECT_EQ(Post("NetworkDriver.EndpointOperInfo", kEndpoint),
            R"(200 {"Value":{"com.docker.network.portmap":[]}})");
  EXPECT_EQ(Post("NetworkDriver.RevokeExternalConnectivity", kEndpoint), "200 {}");
  EXPECT_EQ(Post("NetworkDriver.Leave", kEndpoint), "200 {}");
  EXPECT_EQ(Post("NetworkDriver.DeleteEndpoint", kEndpoint), "200 {}");
  EXPECT_EQ(diary_.Take(), "info n1/e1\nrevoke n1/e1\nleave n1/e1\ndelete endpoint n1/e1");
}

TEST_F(DockerAdaptor, AcceptsWhatSwarmTellsAndHandsOptionsOn) {
  EXPECT_EQ(Post("NetworkDriver.AllocateNetwork",
                 R"({"NetworkID":"n1","Options":{"a":"b"},"IPv4Data":null,"IPv6Data":null})"),
            R"(200 {"Options":{"a":"b"}})");
  EXPECT_EQ(Post("NetworkDriver.FreeNetwork", R"({"NetworkID":"n1"})"), "200 {}");
  for (const char* method : {"DiscoverNew", "DiscoverDelete"}) {
    EXPECT_EQ(Post(fmt::format("NetworkDriver.{}", method),
                   R"({"DiscoveryType":1,"DiscoveryData":{"Address":"192.0.2.1"}})"),
              "200 {}");
  }
  EXPECT_EQ(diary_.Take(), "");
}

TEST_F(DockerAdaptor, GivesPools) {
  ipam_->pool = {.id = "LocalDefault/10.60.0.0/24", .pool = PrefixOf("10.60.0.0/24")};
  EXPECT_EQ(
      Post("IpamDriver.RequestPool",
           R"({"AddressSpace":"LocalDefault","Pool":"10.60.0.0/24","SubPool":"10.60.0.64/26",)"
           R"("Options":{"cnm.network":"blue"},"V6":false})"),
      R"(200 {"PoolID":"LocalDefault/10.60.0.0/24","Pool":"10.60.0.0/24","Data":{}})");
  ipam_->pool.data = {{engine::kGatewayLabel, "10.60.0.1/24"}};
  EXPECT_EQ(
      Post("IpamDriver.RequestPool",
           R"({"AddressSpace":"LocalDefault","Pool":"","SubPool":"","Options":null,"V6":true})"),
      R"(200 {"PoolID":"LocalDefault/10.60.0.0/24","Pool":"10.60.0.0/24",)"
      R"("Data":{"com.docker.network.gateway":"10.60.0.1/24"}})");
  EXPECT_EQ(Post("IpamDriver.ReleasePool", R"({"PoolID":"p1"})"), "200 {}");
  EXPECT_EQ(diary_.Take(),
            "pool LocalDefault 10.60.0.0/24 10.60.0.64/26 [cnm.network=blue] v6=false\n"
            "pool LocalDefault any all [] v6=true\n"
            "release pool p1");
}

TEST_F(DockerAdaptor, RefusesAMisspeltPoolOption) {
  EXPECT_EQ(Post("IpamDriver.RequestPool", R"({"Options":{"cnm.netwrok":"blue"}})"),
            R"(400 {"Err":"option cnm.netwrok: unknown, did you mean cnm.network?",)"
            R"("Error":"option cnm.netwrok: unknown, did you mean cnm.network?"})");
  EXPECT_EQ(diary_.Take(), "");
}

TEST_F(DockerAdaptor, GivesAddresses) {
  ipam_->given = PrefixOf("10.60.0.2/24");
  EXPECT_EQ(Post("IpamDriver.RequestAddress",
                 R"({"PoolID":"p1","Address":"","Options":{"RequestAddressType":)"
                 R"("com.docker.network.gateway"}})"),
            R"(200 {"Address":"10.60.0.2/24","Data":{}})");
  EXPECT_EQ(
      Post("IpamDriver.RequestAddress", R"({"PoolID":"p1","Address":"10.60.0.2","Options":null})"),
      R"(200 {"Address":"10.60.0.2/24","Data":{}})");
  ipam_->given.reset();
  EXPECT_EQ(Post("IpamDriver.RequestAddress", R"({"PoolID":"p1","Address":""})"),
            R"(200 {"Address":"","Data":{}})");
  EXPECT_EQ(Post("IpamDriver.ReleaseAddress", R"({"PoolID":"p1","Address":"10.60.0.2"})"),
            "200 {}");
  EXPECT_EQ(diary_.Take(),
            "address p1 any [RequestAddressType=com.docker.network.gateway]\n"
            "address p1 10.60.0.2 []\naddress p1 any []\nrelease address p1 10.60.0.2");
}

TEST_F(DockerAdaptor, SaysWhatFailed) {
  diary_.failure = Error(Code::kInUse, "address 10.60.0.2: in use", "held by container web");
  for (const char* method :
       {"DeleteEndpoint", "EndpointOperInfo", "Leave", "ProgramExternalConnectivity",
        "RevokeExternalConnectivity", "CreateEndpoint", "CreateNetwork", "DeleteNetwork"}) {
    EXPECT_EQ(Post(fmt::format("NetworkDriver.{}", method),
                   R"({"NetworkID":"n1","EndpointID":"e1","SandboxKey":"/k"})"),
              R"(409 {"Err":"address 10.60.0.2: in use; held by container web"})");
  }
  for (const char* method : {"RequestPool", "ReleasePool", "RequestAddress", "ReleaseAddress"}) {
    EXPECT_EQ(Post(fmt::format("IpamDriver.{}", method), R"({"PoolID":"p","Address":"10.0.0.1"})"),
              R"(409 {"Err":"address 10.60.0.2: in use; held by container web",)"
              R"("Error":"address 10.60.0.2: in use; held by container web"})");
  }
}

TEST_F(DockerAdaptor, NeverAnswersAFailureWithStatus404) {
  for (const Code code : {Code::kNotFound, Code::kUnknownContainer, Code::kKernel, Code::kExhausted,
                          Code::kInternal, Code::kUnsupportedField, Code::kTryAgain}) {
    diary_.failure = Error(code, "x");
    const std::string answer = Post("NetworkDriver.DeleteNetwork", R"({"NetworkID":"n1"})");
    EXPECT_NE(answer.substr(0, 3), "404");
    EXPECT_NE(answer.substr(0, 3), "200");
  }
  EXPECT_EQ(Post("NetworkDriver.Frobnicate", "{}"),
            R"(404 {"Err":"NetworkDriver.Frobnicate: no such method"})");
  EXPECT_EQ(Post("VolumeDriver.Create", "{}"),
            R"(404 {"Err":"VolumeDriver.Create: no such method"})");
}

TEST_F(DockerAdaptor, RefusesWhatIsNoCall) {
  EXPECT_TRUE(Post("NetworkDriver.Join", "{").starts_with("400 "));
  EXPECT_TRUE(Post("NetworkDriver.Join", "[]").starts_with("400 "));
  EXPECT_TRUE(Post("NetworkDriver.Join", R"({"NetworkID":1})").starts_with("400 "));
  EXPECT_EQ(Post("NetworkDriver.Join", R"({"NetworkID":"","EndpointID":"e"})"),
            R"(400 {"Err":"$.NetworkID: is empty"})");
  EXPECT_EQ(Post("NetworkDriver.Join", R"({"NetworkID":"n","EndpointID":"e"})"),
            R"(400 {"Err":"$.SandboxKey: missing, want a string"})");
  EXPECT_EQ(Post("IpamDriver.RequestPool", R"({"Pool":"10.0.0.0/33"})"),
            R"(400 {"Err":"$.Pool: 10.0.0.0/33 is no address with a prefix length",)"
            R"("Error":"$.Pool: 10.0.0.0/33 is no address with a prefix length"})");
  EXPECT_EQ(
      Post("IpamDriver.RequestAddress", R"({"PoolID":"p","Address":"x"})"),
      R"(400 {"Err":"$.Address: x is no IP address","Error":"$.Address: x is no IP address"})");
  EXPECT_EQ(adaptor_.Handle({.method = "GET", .target = "/NetworkDriver.Join"}).status, 405U);
  EXPECT_EQ(adaptor_.Handle({.method = "GET", .target = "/"}).status, 404U);
  EXPECT_EQ(diary_.Take(), "");
}

/// dockerd's requests have an empty Host, no Content-Type, and one connection for several.
class DockerOverHttp : public http::HttpTest {};

TEST_F(DockerOverHttp, AnswersRequestsAsDockerdSendsThem) {
  Diary diary;
  const Adaptor adaptor({std::make_shared<FakeNetwork>(diary), std::make_shared<FakeIpam>(diary)});
  const http::TestServer server(
      Socket(), [&](const http::Request& request) { return adaptor.Handle(request); });
  http::RawClient client(Socket());
  client.Send(
      "POST /Plugin.Activate HTTP/1.1\r\nHost: \r\nUser-Agent: Go-http-client/1.1\r\n"
      "Content-Length: 0\r\nAccept: application/vnd.docker.plugins.v1.2+json\r\n\r\n");
  EXPECT_NE(client.ReceiveUntil("]}\n").find("HTTP/1.1 200 OK\r\n"), std::string::npos);
  constexpr std::string_view kBody = "{\"NetworkID\":\"n1\"}\n";
  client.Send(
      fmt::format("POST /NetworkDriver.DeleteNetwork HTTP/1.1\r\nHost: \r\n"
                  "Content-Length: {}\r\n\r\n{}",
                  kBody.size(), kBody));
  EXPECT_NE(client.ReceiveUntil("{}\n").find(
                "Content-Type: application/vnd.docker.plugins.v1.2+json\r\n"),
            std::string::npos);
  EXPECT_EQ(diary.Take(), "delete network n1");
}

}  // namespace
}  // namespace cnm::docker
