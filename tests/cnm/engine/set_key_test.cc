// set_key_test.cc: the socket of the runtimes' hook, when the process is short of descriptors.
#include "cnm/engine/set_key.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <ctime>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "common/base/fd.h"
#include "tests/cnm/engine/scripted.h"

namespace cnm::engine {
namespace {

class SetKeyListenerTest : public EngineTest {};

/// No descriptor can be opened while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const Fd lowest(::dup(STDOUT_FILENO));
    rlimit none = before_;
    none.rlim_cur = static_cast<rlim_t>(lowest.get());
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(SetKeyListenerTest, WaitsForADescriptorWithoutBurningTheProcessor) {
  const SetKeyListener listener(*engine_);
  const std::string path = SetKeyPath(engine_->options().runtime_directory, engine_->id());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof address.sun_path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const Fd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  pollfd answered = {client.get(), POLLIN, 0};
  {
    const NoDescriptors none;
    ASSERT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    constexpr std::string_view kRequest = R"({"ContainerID":"nobody"})";
    ASSERT_EQ(::send(client.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(kRequest.size()));
    const std::clock_t start = std::clock();
    EXPECT_EQ(::poll(&answered, 1, 500), 0);
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    EXPECT_LT(seconds, 0.1);
  }
  ASSERT_EQ(::poll(&answered, 1, 20'000), 1);
  std::string answer(64, '\0');
  const ssize_t size = ::recv(client.get(), answer.data(), answer.size(), 0);
  ASSERT_GT(size, 0);
  EXPECT_EQ(answer.substr(0, static_cast<size_t>(size)), "no sandbox present for nobody");
}

}  // namespace
}  // namespace cnm::engine
