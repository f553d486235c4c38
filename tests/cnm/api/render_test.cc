// render_test.cc: bodies of the REST API's answers.
#include "cnm/api/render.h"

#include <gtest/gtest.h>

namespace cnm::api {
namespace {

engine::NetworkInfo Blue() {
  engine::NetworkInfo network{.name = "blue", .id = "n1", .type = "bridge", .config = {}};
  network.config.internal = true;
  network.config.options = R"({"Mtu":"1400"})";
  network.config.ipv4 = {{.address_space = "LocalDefault",
                          .pool = *net::Prefix::Parse("192.0.2.0/24"),
                          .gateway = net::Prefix::Parse("192.0.2.1/24"),
                          .aux = {{"router", *net::Prefix::Parse("192.0.2.2/24")}}}};
  return network;
}

engine::EndpointInfo Web() {
  engine::EndpointInfo endpoint;
  endpoint.name = "web";
  endpoint.id = "e1";
  endpoint.network_id = "n1";
  endpoint.network = "blue";
  endpoint.sandbox_id = "s1";
  endpoint.interface.address = net::Prefix::Parse("192.0.2.9/24");
  endpoint.gateway = net::Address::Parse("192.0.2.1");
  return endpoint;
}

TEST(Render, ListsWithoutAnythingAreLists) {
  EXPECT_EQ(RenderNetworks({}, {}), "[]");
  EXPECT_EQ(RenderEndpoints({}), "[]");
  EXPECT_EQ(RenderSandboxes({}), "[]");
  EXPECT_EQ(RenderNetwork(Blue(), {}),
            R"({"name":"blue","id":"n1","type":"bridge","endpoints":[]})");
}

TEST(Render, EachNetworkHasItsOwnEndpoints) {
  engine::NetworkInfo red = Blue();
  red.name = "red";
  red.id = "n2";
  EXPECT_EQ(RenderNetworks({Blue(), red}, {Web()}),
            R"([{"name":"blue","id":"n1","type":"bridge","endpoints":)"
            R"([{"name":"web","id":"e1","network":"blue"}]},)"
            R"({"name":"red","id":"n2","type":"bridge","endpoints":[]}])");
}

TEST(Render, NothingAttachedIsASandboxOfNothing) {
  EXPECT_EQ(RenderSandbox({}), R"({"id":"","key":"","container_id":""})");
}

TEST(Render, TextIsEscaped) {
  EXPECT_EQ(RenderText("a\"b"), R"("a\"b")");
}

TEST(Render, Details) {
  EXPECT_EQ(
      RenderNetworkDetails(Blue(), {Web()}),
      R"({"name":"blue","id":"n1","type":"bridge","endpoints":)"
      R"([{"name":"web","id":"e1","network":"blue"}],"created":"","scope":"local","internal":true,)"
      R"("enable_ipv6":false,"ipv4":[{"pool":"192.0.2.0/24","gateway":"192.0.2.1/24",)"
      R"("aux_addresses":{"router":"192.0.2.2"}}],"ipv6":[],"options":{"Mtu":"1400"}})");
  EXPECT_EQ(RenderEndpointDetails(Web(), "c1", ""),
            R"({"name":"web","id":"e1","network":"blue","sandbox_id":"s1","container_id":"c1",)"
            R"("mac_address":"","address":"192.0.2.9/24","address_ipv6":"",)"
            R"("gateway":"192.0.2.1","gateway_ipv6":"","driver_info":{}})");
  const engine::SandboxInfo sandbox{
      .id = "s1", .key = "/run/x", .container_id = "c1", .endpoint_ids = {"e1"}};
  EXPECT_EQ(RenderSandboxDetails(sandbox, {Web()}, {{"eth0", {.rx_bytes = 7}}}),
            R"({"id":"s1","key":"/run/x","container_id":"c1","endpoints":)"
            R"([{"name":"web","id":"e1","network":"blue"}],"statistics":{"eth0":)"
            R"({"rx_bytes":7,"rx_packets":0,"rx_errors":0,"rx_dropped":0,)"
            R"("tx_bytes":0,"tx_packets":0,"tx_errors":0,"tx_dropped":0}}})");
}

}  // namespace
}  // namespace cnm::api
