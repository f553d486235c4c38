// doors_test.cc: who may knock at the daemon's sockets.
#include "cnm/daemon/doors.h"

#include <sys/stat.h>

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "tests/common/base/child_process.h"

namespace cnm::daemon {
namespace {

class DoorsTest : public DirectoryTest {
 protected:
  Config MakeConfig() const {
    Config config;
    config.socket = Path("run/cnmd.sock");
    config.docker_socket = Path("plugins/cnm.sock");
    config.runtime_directory = Path("run");
    config.group = "no-such-group";
    return config;
  }
  static std::string ModeOf(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? fmt::format("{:o}", status.st_mode & 07777)
                                              : "absent";
  }
};

TEST_F(DoorsTest, AreRootsAloneWithoutTheGroup) {
  const Doors doors = OpenDoors(MakeConfig());
  EXPECT_EQ(doors.api.size(), 1U);
  EXPECT_EQ(doors.docker.size(), 1U);
  EXPECT_EQ(ModeOf(Path("run")), "700");
  EXPECT_EQ(ModeOf(Path("run/cnmd.sock")), "600");
  EXPECT_EQ(ModeOf(Path("plugins/cnm.sock")), "600");
}

TEST_F(DoorsTest, LetTheGroupUseTheRestApiOnly) {
  Config config = MakeConfig();
  config.group = "daemon";  // there is one everywhere
  const Doors doors = OpenDoors(config);
  EXPECT_EQ(ModeOf(Path("run")), "710");
  EXPECT_EQ(ModeOf(Path("run/cnmd.sock")), "660");
  EXPECT_EQ(ModeOf(Path("plugins/cnm.sock")), "600");
}

TEST_F(DoorsTest, AreOpenedAsConfigured) {
  Config config = MakeConfig();
  config.docker = false;
  config.tcp = {"127.0.0.1:0"};
  const Doors doors = OpenDoors(config);
  EXPECT_TRUE(doors.docker.empty());
  EXPECT_EQ(doors.api.size(), 1U);
  EXPECT_EQ(doors.tcp.size(), 1U);
  EXPECT_EQ(doors.tls, nullptr);
  ASSERT_EQ(doors.tcp_ports.size(), 1U);
  EXPECT_NE(doors.tcp_ports[0], 0);
  EXPECT_EQ(ModeOf(Path("plugins/cnm.sock")), "absent");
}

TEST_F(DoorsTest, AreOnLoopbackWithoutTls) {
  const auto refusal = [&](const Config& config) -> std::string {
    try {
      CheckDoors(config);
      return "accepted";
    } catch (const Error& error) {
      return error.message();
    }
  };
  Config config = MakeConfig();
  config.tcp = {"127.0.0.1:0", "[::1]:0"};
  EXPECT_EQ(refusal(config), "accepted");
  config.tcp = {"192.0.2.1:1"};
  EXPECT_EQ(refusal(config), "listen on 192.0.2.1:1: not a loopback address, and tlsverify is off");
  config.tcp = {"127.0.0.1:0"};
  config.tls_files.key = Path("key.pem");
  EXPECT_EQ(refusal(config), "tlscacert, tlscert or tlskey is set, and tlsverify is off");
  config.tls_verify = true;
  config.tls_files.ca = Path("ca.pem");
  EXPECT_EQ(refusal(config), fmt::format("TLS: CA {}: No such file or directory", Path("ca.pem")));
}

TEST_F(DoorsTest, AreNotTakenFromALivingDaemon) {
  const Doors doors = OpenDoors(MakeConfig());
  EXPECT_THROW(OpenDoors(MakeConfig()), Error);
}

http::Request ByTcp(std::string_view header, std::string_view value) {
  http::Request request;
  request.peer.address = "127.0.0.1:4711";
  if (!header.empty()) request.headers.push_back({std::string(header), std::string(value)});
  return request;
}

TEST(ForgedRequests, AreToldByOriginAndHost) {
  EXPECT_TRUE(IsForgedByAPage(ByTcp("Origin", "https://example.com")));
  EXPECT_TRUE(IsForgedByAPage(ByTcp("Host", "example.com")));
  EXPECT_TRUE(IsForgedByAPage(ByTcp("Host", "example.com:2385")));
  for (const char* host :
       {"", "localhost", "localhost:2385", "127.0.0.1:2385", "127.0.0.1", "[::1]:2385", "[::1]"}) {
    EXPECT_FALSE(IsForgedByAPage(ByTcp("Host", host))) << host;
  }
  EXPECT_FALSE(IsForgedByAPage(ByTcp("", "")));
  http::Request by_tls = ByTcp("Host", "example.com:2385");
  by_tls.peer.tls = true;
  EXPECT_FALSE(IsForgedByAPage(by_tls));
  by_tls.headers.push_back({"Origin", "x"});
  EXPECT_TRUE(IsForgedByAPage(by_tls));
  http::Request by_unix_socket = ByTcp("Origin", "x");
  by_unix_socket.peer.address.clear();
  EXPECT_FALSE(IsForgedByAPage(by_unix_socket));
}

}  // namespace
}  // namespace cnm::daemon
