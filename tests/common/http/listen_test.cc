// listen_test.cc: sockets that listen, our own and handed over.
#include "common/http/listen.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "common/http/client.h"
#include "tests/common/base/child_process.h"
#include "tests/common/http/http_test_server.h"

namespace cnm::http {
namespace {

using ListenTest = DirectoryTest;

/// The message of what `listen` throws.
template <class Listen>
std::string Failure(Listen listen, Code code) {
  try {
    listen();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), code) << e.message();
    return e.message();
  }
  return "";
}

/// The same pipes as descriptors far from 3.
ChildProcess::Parent OutOfTheWay(const ChildProcess::Parent& parent) {
  return {::fcntl(parent.from, F_DUPFD, 200), ::fcntl(parent.to, F_DUPFD, 200)};
}

TEST_F(ListenTest, TheFileHasItsModeWhateverTheUmask) {
  for (const unsigned mode : {0600U, 0660U, 0666U}) {
    const std::string path = Path(fmt::format("s{}", mode));
    const mode_t old = ::umask(0);
    const Fd fd = ListenUnix({.path = path, .mode = mode});
    ::umask(077);
    const Fd strict = ListenUnix({.path = path + "-strict", .mode = mode});
    ::umask(old);
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, mode);
    ASSERT_EQ(::stat((path + "-strict").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, mode);
  }
}

TEST_F(ListenTest, TheFileHasItsGroup) {
  const group* own = ::getgrgid(::getegid());
  ASSERT_NE(own, nullptr);
  const Fd fd = ListenUnix({.path = Path("s"), .mode = 0660, .group = own->gr_name});
  struct stat status {};
  ASSERT_EQ(::stat(Path("s").c_str(), &status), 0);
  EXPECT_EQ(status.st_gid, ::getegid());
  const auto unknown = [&] { ListenUnix({.path = Path("t"), .group = "no-such-group"}); };
  EXPECT_EQ(Failure(unknown, Code::kConfig), "unknown group: no-such-group");
}

TEST_F(ListenTest, ReplacesASocketOnWhichNobodyListensAndNoOther) {
  { const Fd gone = ListenUnix({.path = Path("s")}); }
  const Fd alive = ListenUnix({.path = Path("s")});
  EXPECT_EQ(Failure([&] { ListenUnix({.path = Path("s")}); }, Code::kInUse),
            fmt::format("listen on {}: another process listens there", Path("s")));
  const Fd file(::open(Path("file").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  EXPECT_EQ(Failure([&] { ListenUnix({.path = Path("file")}); }, Code::kInUse),
            fmt::format("listen on {}: Address already in use", Path("file")));
  EXPECT_EQ(::access(Path("file").c_str(), F_OK), 0);
}

TEST_F(ListenTest, SaysWhyItCannot) {
  EXPECT_EQ(Failure([&] { ListenUnix({.path = Path("none/s")}); }, Code::kIo),
            fmt::format("listen on {}: No such file or directory", Path("none/s")));
  EXPECT_EQ(Failure([&] { ListenUnix({.path = std::string(108, 'x')}); }, Code::kConfig),
            fmt::format("listen on {}: the path must have 1 to 107 bytes", std::string(108, 'x')));
  EXPECT_EQ(Failure([&] { ListenTcp("localhost", 0); }, Code::kConfig),
            "listen on localhost: not an IP address");
}

TEST_F(ListenTest, ServesTcpOfBothFamilies) {
  for (const std::string address : {"127.0.0.1", "::1"}) {
    Fd fd = ListenTcp(address, 0);
    const uint16_t port = PortOf(fd);
    EXPECT_EQ(
        Failure([&] { ListenTcp(address, port); }, Code::kInUse),
        fmt::format(fmt::runtime(address == "::1" ? "listen on [{}]:{}: Address already in use"
                                                  : "listen on {}:{}: Address already in use"),
                    address, port));
    boost::asio::io_context io(1);
    Server server(io,
                  [](const Request& request) { return Response{.body = request.peer.address}; });
    server.Listen(std::move(fd));
    std::thread thread([&] { io.run(); });
    const Response response =
        Call({.host = address, .port = fmt::format("{}", port)}, {.target = "/"});
    EXPECT_TRUE(response.body.starts_with(address == "::1" ? "[::1]:" : "127.0.0.1:"))
        << response.body;
    server.Stop();
    thread.join();
  }
}

TEST_F(ListenTest, TakesWhatSystemdHandsOver) {
  ChildProcess service([&](const ChildProcess::Parent& given) {
    const ChildProcess::Parent parent = OutOfTheWay(given);
    // As systemd does: descriptors from 3 on, the rest said in the environment.
    const Fd one = ListenUnix({.path = Path("one")});
    const Fd two = ListenUnix({.path = Path("two")});
    const Fd high_one(::fcntl(one.get(), F_DUPFD, 100));
    const Fd high_two(::fcntl(two.get(), F_DUPFD, 100));
    ::dup2(high_one.get(), 3);
    ::dup2(high_two.get(), 4);
    ::setenv("LISTEN_PID", fmt::format("{}", ::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", "2", 1);
    ::setenv("LISTEN_FDNAMES", "api:docker", 1);
    const std::vector<Activated> sockets = TakeActivatedSockets();
    const bool good = sockets.size() == 2 && sockets[0].name == "api" &&
                      sockets[1].name == "docker" && sockets[1].fd.get() == 4 &&
                      ::getenv("LISTEN_FDS") == nullptr &&
                      (::fcntl(3, F_GETFD) & FD_CLOEXEC) != 0 &&
                      (::fcntl(3, F_GETFL) & O_NONBLOCK) != 0 && TakeActivatedSockets().empty();
    if (good) parent.Tell();
    parent.Await();
  });
  EXPECT_TRUE(service.Told());
}

TEST_F(ListenTest, TakesNothingMeantForAnotherProcess) {
  ChildProcess service([&](const ChildProcess::Parent& parent) {
    ::setenv("LISTEN_PID", "1", 1);
    ::setenv("LISTEN_FDS", "1", 1);
    if (TakeActivatedSockets().empty() && ::getenv("LISTEN_PID") == nullptr) parent.Tell();
    parent.Await();
  });
  EXPECT_TRUE(service.Told());
}

TEST_F(ListenTest, RefusesADescriptorThatDoesNotListen) {
  ChildProcess service([&](const ChildProcess::Parent& given) {
    const ChildProcess::Parent parent = OutOfTheWay(given);
    const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const Fd high(::fcntl(null.get(), F_DUPFD, 100));
    ::dup2(high.get(), 3);
    ::setenv("LISTEN_PID", fmt::format("{}", ::getpid()).c_str(), 1);
    ::setenv("LISTEN_FDS", "1", 1);
    if (Failure([] { TakeActivatedSockets(); }, Code::kEnvironment) ==
        "socket activation: descriptor 3 is not a listening socket") {
      parent.Tell();
    }
    parent.Await();
  });
  EXPECT_TRUE(service.Told());
}

}  // namespace
}  // namespace cnm::http
