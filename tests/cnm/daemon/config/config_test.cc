// config_test.cc: reading cnmd's configuration.
#include "cnm/daemon/config/config.h"

#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace cnm::daemon {
namespace {

using Texts = std::vector<std::string>;

Config Read(std::string_view text) {
  Config config;
  EXPECT_EQ(ReadConfig(text, "cnmd.toml", config), Texts());
  return config;
}

std::string Refusal(std::string_view text) {
  Config config;
  try {
    ReadConfig(text, "cnmd.toml", config);
    return "accepted";
  } catch (const Error& e) {
    return e.message();
  }
}

std::string TcpRefusal(std::string_view text) {
  try {
    ParseTcpEndpoint(text);
    return "accepted";
  } catch (const Error& e) {
    return e.message();
  }
}

TEST(Config, KeepsTheDefaultsOfAnEmptyFile) {
  const Config config = Read("");
  EXPECT_EQ(config.socket, "/run/cnm/cnmd.sock");
  EXPECT_EQ(config.docker_socket, "/run/docker/plugins/cnm.sock");
  EXPECT_EQ(config.default_driver, "bridge");
  EXPECT_TRUE(config.docker);
  EXPECT_TRUE(config.tcp.empty());
}

TEST(Config, TakesEveryKey) {
  const Config config = Read(R"(
[daemon]
debug = true
DefaultNetwork = "blue"
defaultdriver = "null"
labels = ["com.docker.network.driver.mtu=1400"]
[listen]
socket = "/a"
group = "net"
tcp = ["127.0.0.1:2385", "[::1]:1"]
[docker]
enabled = false
socket = "/b"
[ports]
userland_proxy = true
[state]
runtime = "/c"
durable = "/d"
leases = "/e"
files = "/f"
netns = "/g"
[limits]
connections = 7
workers = 2
header_bytes = 2048
body_bytes = 4096
request_seconds = 3
answer_seconds = 4
idle_seconds = 5
)");
  EXPECT_TRUE(config.debug);
  EXPECT_EQ(config.default_network, "blue");
  EXPECT_EQ(config.default_driver, "null");
  EXPECT_EQ(config.labels, Texts({"com.docker.network.driver.mtu=1400"}));
  EXPECT_EQ(config.socket + config.docker_socket, "/a/b");
  EXPECT_TRUE(config.userland_proxy);
  EXPECT_EQ(config.group, "net");
  EXPECT_EQ(config.tcp, Texts({"127.0.0.1:2385", "[::1]:1"}));
  EXPECT_FALSE(config.docker);
  EXPECT_EQ(config.runtime_directory + config.durable_directory, "/c/d");
  EXPECT_EQ(config.lease_directory + config.files_directory + config.netns_directory, "/e/f/g");
  EXPECT_EQ(config.limits.connections, 7U);
  EXPECT_EQ(config.limits.workers, 2U);
  EXPECT_EQ(config.limits.header_bytes, 2048U);
  EXPECT_EQ(config.limits.body_bytes, 4096U);
  EXPECT_EQ(config.limits.request_time, std::chrono::seconds(3));
  EXPECT_EQ(config.limits.answer_time, std::chrono::seconds(4));
  EXPECT_EQ(config.limits.idle_time, std::chrono::seconds(5));
}

TEST(Config, NamesFileLineAndKeyOfWhatIsWrong) {
  EXPECT_EQ(Refusal("[daemon]\ndebug = 1\n"), "cnmd.toml line 2: daemon.debug: want true or false");
  EXPECT_EQ(Refusal("[listen]\n\nsocket = [1]\n"),
            "cnmd.toml line 3: listen.socket: want a text in quotes");
  EXPECT_EQ(Refusal("[daemon]\nlabels = [1]\n"),
            "cnmd.toml line 2: daemon.labels: want a list of texts");
  EXPECT_EQ(Refusal("[limits]\nworkers = 0\n"),
            "cnmd.toml line 2: limits.workers: 0 is not in 1..64");
  EXPECT_EQ(Refusal("[limits]\nworkers = \"x\"\n"),
            "cnmd.toml line 2: limits.workers: want a whole number");
  EXPECT_EQ(Refusal("docker = true\n"), "cnmd.toml line 1: docker: want a section: [docker]");
  EXPECT_TRUE(Refusal("[daemon\n").starts_with("cnmd.toml line 1: ")) << Refusal("[daemon\n");
}

TEST(Config, RefusesTheStoresOfAClusterWithAReason) {
  EXPECT_EQ(Refusal("[globalstore.client]\nprovider = \"etcd\"\n"),
            "cnmd.toml line 1: [globalstore]: multi-host is not in this release");
  EXPECT_EQ(Refusal("[cluster]\ndiscovery = \"token://\"\n"),
            "cnmd.toml line 1: [cluster]: multi-host is not in this release");
}

TEST(Config, WarnsOfUnknownKeysWithTheNearest) {
  Config config;
  EXPECT_EQ(ReadConfig("[daemon]\ndebgu = true\nzzzzz = 1\n[dokcer]\n[localstore]\n", "f", config),
            Texts({"f line 2: daemon.debgu: unknown, did you mean daemon.debug?",
                   "f line 3: daemon.zzzzz: unknown",
                   "f line 5: [localstore] is ignored: what is kept lies in state.durable",
                   "f line 4: dokcer: unknown, did you mean docker?"}));
}

TEST(Config, KeepsOnlyDockersLabels) {
  Config config;
  EXPECT_EQ(ReadConfig("[daemon]\nlabels = [\"a=1\", \"com.docker.network.x=2\"]\n", "f", config),
            Texts({"f: daemon.labels: a=1 is ignored, it does not begin with com.docker.network"}));
  EXPECT_EQ(config.labels, Texts({"com.docker.network.x=2"}));
}

TEST(Config, TakesTlsAsDockerSpellsIt) {
  const Config config = Read(R"(
[listen]
tlsverify = true
tlscacert = "/ca"
tlscert = "/cert"
tlskey = "/key"
[limits]
handshake_seconds = 2
)");
  EXPECT_TRUE(config.tls_verify);
  EXPECT_EQ(config.tls_files, (http::TlsFiles{"/ca", "/cert", "/key"}));
  EXPECT_EQ(config.limits.handshake_time, std::chrono::seconds(2));
}

TEST(Config, ListensOnNumericAddresses) {
  EXPECT_EQ(ParseTcpEndpoint("127.0.0.1:2385"), (TcpEndpoint{"127.0.0.1", 2385}));
  EXPECT_EQ(ParseTcpEndpoint("tcp://[::1]:0"), (TcpEndpoint{"::1", 0}));
  EXPECT_EQ(Refusal("[listen]\ntcp = [\"x:1\"]\n"),
            "listen on x:1: want ADDRESS:PORT with a numeric address");
  for (const char* wrong :
       {"", "127.0.0.1", "127.0.0.1:", "localhost:1", "127.0.0.1:65536", "127.0.0.1:1x", ":2385"}) {
    EXPECT_EQ(TcpRefusal(wrong),
              std::string("listen on ") + wrong + ": want ADDRESS:PORT with a numeric address");
  }
}

TEST(Config, ReadsTheExample) {
  Config config;
  EXPECT_EQ(ReadConfigFile(CNM_SOURCE_DIR "/conf/cnmd.toml", config), Texts());
  const Config defaults;
  EXPECT_EQ(config.socket, defaults.socket);  // the example shows the defaults
  EXPECT_EQ(config.tls_files, defaults.tls_files);
  EXPECT_FALSE(config.tls_verify);
  EXPECT_EQ(config.limits.connections, defaults.limits.connections);
  EXPECT_EQ(config.limits.handshake_time, defaults.limits.handshake_time);
  EXPECT_EQ(config.limits.idle_time, defaults.limits.idle_time);
}

TEST(Config, SaysThatAFileIsMissing) {
  Config config;
  EXPECT_THROW(ReadConfigFile("/nonexistent/cnmd.toml", config), Error);
}

}  // namespace
}  // namespace cnm::daemon
