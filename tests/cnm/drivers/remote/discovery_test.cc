// discovery_test.cc: how plugins are announced, and the one that daemons for experiments bring.
#include "cnm/drivers/remote/discovery.h"

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "cnm/drivers/remote/remote_driver.h"
#include "cnm/drivers/remote/test_plugin.h"
#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/http/listen.h"
#include "common/http/server.h"
#include "common/http/tls.h"
#include "tests/common/base/child_process.h"

namespace cnm::remote {
namespace {

class Discovery : public DirectoryTest {
 protected:
  void Write(const std::string& name, const std::string& text) const {
    const std::string path = Path(name);
    MakeDirectories(path.substr(0, path.rfind('/')));
    WriteFileAtomic(path, text, Durability::kVolatile);
  }
  std::optional<http::ServerAddress> Find(std::string_view name) const {
    return FindPlugin(name, {{Path("run"), Path("etc")}});
  }
};

TEST_F(Discovery, FindsSocketsSpecsAndJson) {
  MakeDirectories(Path("run"));
  const Fd socket = http::ListenUnix({.path = Path("run/a.sock")});
  Write("etc/b.spec", "tcp://192.0.2.1:7711\n");
  Write("etc/c.json", R"({"Name":"c","Addr":"unix:///run/c.sock"})");
  Write("etc/d/d.spec", "http://[2001:db8::1]:80/x");
  EXPECT_EQ(Find("a")->unix_path, Path("run/a.sock"));
  EXPECT_EQ(Find("b"), (http::ServerAddress{.host = "192.0.2.1", .port = "7711"}));
  EXPECT_EQ(Find("c")->unix_path, "/run/c.sock");
  EXPECT_EQ(Find("d"), (http::ServerAddress{.host = "2001:db8::1", .port = "80"}));
  EXPECT_FALSE(Find("e"));
}

TEST_F(Discovery, PrefersTheEarlierDirectoryAndTakesASpecThatIsASocket) {
  MakeDirectories(Path("run"));
  const Fd socket = http::ListenUnix({.path = Path("run/a.spec")});
  Write("etc/a.spec", "tcp://192.0.2.1:7711");
  EXPECT_EQ(Find("a")->unix_path, Path("run/a.spec"));
}

TEST_F(Discovery, TakesTlsFromTheUrlAndTheFilesFromTheConfig) {
  Write(
      "etc/a.json",
      R"({"Name":"a","Addr":"https://plugin.example:7711/x","TLSConfig":{"InsecureSkipVerify":false,)"
      R"("CAFile":"/c","CertFile":"/d","KeyFile":"/e"}})");
  EXPECT_EQ(Find("a"), (http::ServerAddress{.host = "plugin.example",
                                            .port = "7711",
                                            .tls = http::TlsFiles{"/c", "/d", "/e"}}));
  Write("etc/b.spec", "https://[2001:db8::1]");
  EXPECT_EQ(Find("b"),
            (http::ServerAddress{
                .host = "2001:db8::1", .port = "443", .tls = http::TlsFiles{"", "", "", false}}));
  Write("etc/c.json", R"({"Addr":"tcp://192.0.2.1:7711","TLSConfig":{"CAFile":"/c"}})");
  EXPECT_FALSE(Find("c")->tls) << "Docker speaks plainly to it, too";
}

/// With certificates of its own authority, shown by a server in Python.
TEST_F(Discovery, APluginIsAskedOverTls) {
  const std::string make =
      "cd {} && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out "
      "ca.pem "
      "2>/dev/null && for n in server client; do openssl req -newkey rsa:2048 -nodes -subj /CN=$n "
      "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout $n.key -out $n.csr 2>/dev/null && "
      "openssl x509 -req -in $n.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 "
      "-copy_extensions copy -out $n.pem 2>/dev/null || exit 1; done; chmod 600 *.key";
  ASSERT_EQ(std::system(fmt::format(fmt::runtime(make), Path("")).c_str()),
            0);  // NOLINT: a stranger's tool
  boost::asio::io_context io(1);
  http::Server server(io, AnswerAsTestPlugin);
  Fd socket = http::ListenTcp("127.0.0.1", 0);
  const std::string url = fmt::format("https://127.0.0.1:{}", http::PortOf(socket));
  server.Listen(std::move(socket), http::MakeServerTls({.ca = Path("ca.pem"),
                                                        .certificate = Path("server.pem"),
                                                        .key = Path("server.key")}));
  std::thread thread([&] { io.run(); });
  const auto scope = [&](const std::string& config) {
    Write("etc/a.json", fmt::format(R"({{"Addr":"{}","TLSConfig":{{{}}}}})", url, config));
    try {
      return RemoteDriver::Find("a", {.directories = {{Path("etc")}}, .limits = {}})->scope() ==
             engine::Scope::kGlobal;
    } catch (const Error&) {
      return false;
    }
  };
  const std::string own =
      fmt::format(R"("CertFile":"{0}client.pem","KeyFile":"{0}client.key")", Path(""));
  EXPECT_TRUE(scope(fmt::format(R"("CAFile":"{}",{})", Path("ca.pem"), own)));
  EXPECT_TRUE(scope(fmt::format(R"("InsecureSkipVerify":true,{})", own)));
  EXPECT_FALSE(scope(fmt::format(R"("CAFile":"{}")", Path("ca.pem")))) << "it wants a certificate";
  EXPECT_FALSE(scope(fmt::format(R"("CAFile":"{}",{})", Path("client.pem"), own)))
      << "the server's is of another authority";
  server.Stop();
  thread.join();
}

TEST_F(Discovery, RefusesWhatCannotBeUsed) {
  Write("etc/a.spec", "192.0.2.1:7711");
  Write("etc/b.json", R"({"Addr":"https://192.0.2.1:1","TLSConfig":{"CertFile":"x"}})");  // no key
  Write("etc/c.json", "{");
  for (const char* name : {"a", "b", "c"}) EXPECT_THROW(Find(name), Error) << name;
  for (const char* name : {"", ".", "..", "../etc/a", "a/b"}) EXPECT_FALSE(Find(name)) << name;
}

TEST_F(Discovery, TheTestPluginIsFoundAndDoesNothing) {
  boost::asio::io_context io(1);
  {
    TestPlugin plugin(io, Path("etc"));
    std::thread thread([&] { io.run(); });
    EXPECT_EQ(ReadFile(Path("etc/test.spec")), plugin.url());
    const auto driver = RemoteDriver::Find("test", {.directories = {{Path("etc")}}, .limits = {}});
    EXPECT_EQ(driver->scope(), engine::Scope::kGlobal);
    driver->CreateNetwork({.id = "n"});
    EXPECT_TRUE(driver->CreateEndpoint({.network_id = "n", .id = "e"}).empty());
    EXPECT_EQ(driver->Join("n", "e", "k", ""), engine::JoinInfo{});
    EXPECT_THROW(driver->OperInfo("n", "e"), Error);
    driver->ProgramExternalConnectivity("n", "e", {}, "");
    driver->Leave("n", "e");
    driver->DeleteEndpoint("n", "e");
    driver->DeleteNetwork("n");
    plugin.Stop();
    thread.join();
  }
  EXPECT_FALSE(ReadFile(Path("etc/test.spec")));
}

}  // namespace
}  // namespace cnm::remote
