// discovery_test.cc: how plugins are announced, and the one that daemons for experiments bring.
#include "cnm/drivers/remote/discovery.h"

#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

#include "cnm/drivers/remote/remote_driver.h"
#include "cnm/drivers/remote/test_plugin.h"
#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/http/listen.h"
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

TEST_F(Discovery, RefusesWhatCannotBeUsed) {
  Write("etc/a.spec", "192.0.2.1:7711");
  Write("etc/b.json", R"({"Addr":"https://192.0.2.1:1","TLSConfig":{"CertFile":"x"}})");
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
