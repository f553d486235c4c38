// labels_test.cc: the JSON that Docker's protocols share, as recorded from dockerd 20.10.
#include "cnm/engine/labels.h"

#include <gtest/gtest.h>

#include "cnm/engine/ipam_driver.h"
#include "common/base/error.h"

namespace cnm::engine {
namespace {

using json::Parse;
using json::Writer;

TEST(Labels, PortsAreReadAndWrittenAsDockerdDoes) {
  const std::string text =
      R"({"com.docker.network.endpoint.exposedports":[{"Proto":6,"Port":80}],)"
      R"("com.docker.network.portmap":[{"Proto":17,"IP":"","Port":53,"HostIP":"192.0.2.1",)"
      R"("HostPort":5300,"HostPortEnd":5310}]})";
  const json::Object options = Parse(text, "options");
  const auto ports = DecodeExposedPorts(options);
  const auto bindings = DecodePortBindings(options);
  EXPECT_EQ(ports, (std::vector<ExposedPort>{{6, 80}}));
  ASSERT_EQ(bindings.size(), 1U);
  EXPECT_EQ(bindings[0].protocol, 17);
  EXPECT_FALSE(bindings[0].ip);
  EXPECT_EQ(bindings[0].host_ip, net::Address::Parse("192.0.2.1"));
  EXPECT_EQ(bindings[0].host_port_end, 5310);
  Writer writer;
  writer.BeginObject().Key(kExposedPortsLabel);
  EncodeExposedPorts(ports, writer);
  writer.Key(kPortMapLabel);
  EncodePortBindings(bindings, writer);
  EXPECT_EQ(writer.EndObject().Take(), text);
}

TEST(Labels, AbsentAndNullPortsAreNone) {
  const json::Object options = Parse(R"({"com.docker.network.portmap":null})", "options");
  EXPECT_TRUE(DecodePortBindings(options).empty());
  EXPECT_TRUE(DecodeExposedPorts(options).empty());
}

TEST(Labels, PortsOutOfRangeAreRefusedWithTheirPath) {
  const json::Object options =
      Parse(R"({"com.docker.network.portmap":[{"Proto":6,"Port":65536}]})", "options");
  try {
    DecodePortBindings(options);
    FAIL() << "65536 is no port";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kConfig);
    EXPECT_NE(error.message().find("Port: 65536 is not in 0..65535"), std::string::npos)
        << error.message();
  }
}

TEST(Labels, PoolsAreReadWithLengthsAndHostBitsCleared) {
  const auto pools = DecodePools(
      Parse(R"({"IPv4Data":[{"AddressSpace":"s","Pool":"192.0.2.7/24","Gateway":"192.0.2.1",)"
            R"("AuxAddresses":{"dns":"192.0.2.53/24","ntp":"192.0.2.9"}}]})",
            "request"),
      "IPv4Data");
  ASSERT_EQ(pools.size(), 1U);
  EXPECT_EQ(pools[0].pool.ToString(), "192.0.2.0/24");
  EXPECT_EQ(pools[0].gateway->ToString(), "192.0.2.1/24");
  EXPECT_EQ(pools[0].aux.at("ntp").ToString(), "192.0.2.9/24");
  Writer writer;
  EncodePools(pools, writer);
  EXPECT_EQ(writer.Take(), R"([{"AddressSpace":"s","Pool":"192.0.2.0/24","Gateway":"192.0.2.1/24",)"
                           R"("AuxAddresses":{"dns":"192.0.2.53/24","ntp":"192.0.2.9/24"}}])");
}

TEST(Labels, PoolsWithoutSubnetAreRefused) {
  EXPECT_THROW(DecodePools(Parse(R"({"IPv4Data":[{"Pool":"x"}]})", "request"), "IPv4Data"), Error);
  EXPECT_THROW(DecodePools(Parse(R"({"IPv4Data":[{}]})", "request"), "IPv4Data"), Error);
  EXPECT_THROW(DecodePools(Parse(R"({"IPv4Data":[7]})", "request"), "IPv4Data"), Error);
  EXPECT_TRUE(DecodePools(Parse(R"({"IPv4Data":null})", "request"), "IPv4Data").empty());
}

TEST(Labels, InterfacesKeepEmptyMembersOnlyTowardsDrivers) {
  const Interface interface =
      DecodeInterface(Parse(R"({"Interface":{"Address":"192.0.2.2/24","AddressIPv6":"",)"
                            R"("MacAddress":"02:5f:76:69:9e:cf"}})",
                            "request"),
                      "Interface");
  EXPECT_FALSE(interface.address_ipv6);
  Writer writer;
  EncodeInterface(interface, writer);
  EXPECT_EQ(writer.Take(),
            R"({"Address":"192.0.2.2/24","AddressIPv6":"","MacAddress":"02:5f:76:69:9e:cf"})");
  EncodeChosenInterface({.mac = interface.mac}, writer);
  EXPECT_EQ(writer.Take(), R"({"MacAddress":"02:5f:76:69:9e:cf"})");
  EXPECT_TRUE(DecodeInterface(Parse("{}", "request"), "Interface").empty());
}

TEST(Labels, MacsAreBase64OrText) {
  const std::string key = kMacLabel;
  const auto read = [&](const std::string& value) {
    Writer writer;
    return DecodeMacLabel(
        Parse(writer.BeginObject().Member(key, value).EndObject().Take(), "options"));
  };
  EXPECT_EQ(read("AgAAAAB3")->ToString(), "02:00:00:00:00:77");
  EXPECT_EQ(read("02:00:00:00:00:77")->ToString(), "02:00:00:00:00:77");
  EXPECT_FALSE(read(""));
  EXPECT_THROW(read("AgAAAAB"), Error);
  EXPECT_THROW(read("AgAAAAB="), Error);
  EXPECT_EQ(EncodeMacLabel(*net::Mac::Parse("02:00:00:00:00:77")), "AgAAAAB3");
  EXPECT_EQ(EncodeMacLabel(*net::Mac::Parse("ff:fb:fe:00:10:83")), "//v+ABCD");
}

TEST(Labels, NetworkOptionsCarryTheDriversOwn) {
  NetworkConfig network;
  DecodeNetworkOptions(Parse(R"({"com.docker.network.enable_ipv6":true,)"
                             R"("com.docker.network.generic":{"myopt":"1"},)"
                             R"("com.docker.network.internal":true})",
                             "options"),
                       network);
  EXPECT_TRUE(network.enable_ipv6);
  EXPECT_TRUE(network.internal);
  EXPECT_EQ(network.options, R"({"myopt":"1"})");
  Writer writer;
  EncodeNetworkOptions({}, writer);
  EXPECT_EQ(writer.Take(),
            R"({"com.docker.network.enable_ipv6":false,"com.docker.network.generic":{}})");
}

}  // namespace
}  // namespace cnm::engine
