// daemon.cc: cnmd's life: open, serve, put right, stop.
#include "cnm/daemon/daemon.h"

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <exception>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "cnm/api/handler.h"
#include "cnm/daemon/assembly.h"
#include "cnm/daemon/docker_leftovers.h"
#include "cnm/daemon/doors.h"
#include "cnm/daemon/forgotten.h"
#include "cnm/daemon/link_news.h"
#include "cnm/daemon/service_state.h"
#include "cnm/drivers/remote/test_plugin.h"
#include "cnm/engine/labels.h"
#include "cnm/engine/set_key.h"
#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/http/server.h"
#include "common/json/writer.h"

namespace cnm::daemon {
namespace {

using Clock = std::chrono::steady_clock;

/// News come in bundles: a container's end, or a thousand of them.
constexpr std::chrono::seconds kSettle{2};

/// How long requests under way may hold up a stop: a plugin may let them wait for minutes, and
/// whoever stops us waits for 30 s (cnmd.service).
constexpr std::chrono::seconds kStopTime{20};

/// Writes each request down when `debug`, and refusals of the drivers always: Docker shows its user
/// the text, but not to whoever looks after the daemon.
http::Handler Logged(std::string door, bool debug, http::Handler handler) {
  return [door = std::move(door), debug, handler = std::move(handler)](const http::Request& asked) {
    const auto start = Clock::now();
    http::Response answer = handler(asked);
    if (debug || answer.status >= 500) {
      const std::chrono::duration<double, std::milli> took = Clock::now() - start;
      Warn(fmt::format("{}: {} {}: {} after {:.1f} ms{}{}", door, asked.method, asked.target,
                       answer.status, took.count(), answer.status >= 400 ? ": " : "",
                       answer.status >= 400 ? answer.body : std::string()));
    }
    return answer;
  };
}

/// Makes the network that is used where none is named; after a restart it is there already. Of type
/// bridge its link has the same name, as libnetwork's dnet has it.
void EnsureDefaultNetwork(engine::Engine& engine, const Config& config) {
  if (config.default_network.empty()) return;
  for (const engine::NetworkInfo& network : engine.Networks()) {
    if (network.name == config.default_network) return;
  }
  engine::NetworkSpec spec{.name = config.default_network, .type = config.default_driver};
  if (config.default_driver == "bridge") {
    json::Writer options;
    options.BeginObject().Key(engine::kGenericLabel).BeginObject();
    options.Member("BridgeName", config.default_network).EndObject();
    spec.options = options.EndObject().Take();
  }
  engine.CreateNetwork(spec);
}

/// The plugin "test" in a thread of its own: the engine calls it while it starts.
class TestPluginThread {
 public:
  TestPluginThread() = default;
  TestPluginThread(const TestPluginThread&) = delete;
  TestPluginThread& operator=(const TestPluginThread&) = delete;
  ~TestPluginThread() {
    plugin_.Stop();
    thread_.join();
  }

 private:
  boost::asio::io_context io_{1};
  remote::TestPlugin plugin_{io_};
  std::thread thread_{[this] { io_.run(); }};
};

/// What is under way then is left as by a kill, for the next start to put right.
void EndLater() {
  std::thread([] {
    std::this_thread::sleep_for(kStopTime);
    Warn(fmt::format("stopped with requests under way, which did not end for {} s",
                     kStopTime.count()));
    ::_exit(0);
  }).detach();
}

/// Everything that runs in the one thread.
class Service {
 public:
  explicit Service(const DaemonOptions& options)
      : options_(options), parts_(Assemble(options.config)), signals_(io_, SIGTERM, SIGINT) {}

  int Run(Doors doors) {
    EnsureDefaultNetwork(*parts_.engine, options_.config);
    ReleaseUnwritten(parts_);
    Listen(doors);
    if (options_.ready) options_.ready(*parts_.engine, doors.tcp_ports);
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (!error) Stop();
    });
    news_.emplace(io_, [this] { ReconcileAfter(kSettle); });
    ReconcileAfter(std::chrono::seconds(0));
    LookForForgotten();
    NotifyServiceManager("READY=1");
    io_.run();
    worker_.join();
    for (const std::string& file : doors.files) RemoveFile(file);
    return 0;
  }

 private:
  void Listen(Doors& doors) {
    const Config& config = options_.config;
    api_server_.emplace(
        io_, Logged("api", config.debug, [this](const auto& asked) { return AskApi(asked); }),
        config.limits, api::Api::OnlyReads);
    for (Fd& socket : doors.api) api_server_->Listen(std::move(socket));
    for (Fd& socket : doors.tcp) api_server_->Listen(std::move(socket), doors.tls);
    if (!parts_.docker) return;
    docker_server_.emplace(
        io_, Logged("docker", config.debug, [this](const auto& asked) { return AskDocker(asked); }),
        config.limits);
    for (Fd& socket : doors.docker) docker_server_->Listen(std::move(socket));
  }

  http::Response AskApi(const http::Request& request) {
    if (IsForgedByAPage(request)) return http::TextResponse(403, "not for web pages");
    // What a driver could not delete is looked for later.
    if (request.method == "DELETE") boost::asio::post(io_, [this] { LookForForgotten(); });
    if (auto answer = AskOfDocker(parts_, request)) return *std::move(answer);
    return api_.Handle(request);
  }

  http::Response AskDocker(const http::Request& request) {
    http::Response answer = parts_.docker->Handle(request);
    const bool makes = request.target == "/NetworkDriver.CreateEndpoint" ||
                       request.target == "/IpamDriver.RequestPool";
    if (makes) boost::asio::post(io_, [this] { LookForForgotten(); });
    // The network's deletion comes next, or never.
    if (request.target == "/IpamDriver.ReleasePool") {
      boost::asio::post(io_, [this] { ReconcileAfter(kSettle); });
    }
    return answer;
  }

  /// Once for all the news until then.
  void ReconcileAfter(std::chrono::seconds delay) {
    if (stopping_ || std::exchange(settling_, true)) return;
    settle_timer_.expires_after(delay);
    settle_timer_.async_wait([this](const boost::system::error_code& error) {
      settling_ = false;
      if (!error) boost::asio::post(worker_, [this] { Reconcile(); });
    });
  }

  /// When the youngest endpoint is old enough; nothing is armed where none is made.
  void LookForForgotten() {
    if (stopping_) return;
    forgotten_timer_.expires_after(std::chrono::seconds(kForgottenAfter) +
                                   kSettle);  // instead of an earlier time
    forgotten_timer_.async_wait([this](const boost::system::error_code& error) {
      if (!error) boost::asio::post(worker_, [this] { Reconcile(); });
    });
  }

  void Reconcile() {
    if (CollectForgotten(parts_) == 0) return;
    boost::asio::post(io_, [this] { LookForForgotten(); });  // at what it led out
  }

  void Stop() {
    NotifyServiceManager("STOPPING=1");
    stopping_ = true;
    EndLater();
    settle_timer_.cancel();
    forgotten_timer_.cancel();
    news_->Stop();
    api_server_->Stop();
    if (docker_server_) docker_server_->Stop();
  }

  const DaemonOptions& options_;
  Assembly parts_;
  api::Api api_{parts_.engine.get(), [this] { return TakeInventory(options_.config); }};
  boost::asio::io_context io_{1};
  boost::asio::thread_pool worker_{1};  // Reconcile takes as long as the kernel does
  boost::asio::signal_set signals_;
  boost::asio::steady_timer settle_timer_{io_};
  boost::asio::steady_timer forgotten_timer_{io_};
  bool settling_ = false;
  std::optional<LinkNews> news_;
  engine::SetKeyListener set_key_{*parts_.engine};
  std::optional<http::Server> api_server_;
  std::optional<http::Server> docker_server_;
  bool stopping_ = false;
};

}  // namespace

int RunDaemon(const DaemonOptions& options) {
  ::umask(077);  // what is for others says so
  MakeDirectories(options.config.runtime_directory, 0700);
  Doors doors = OpenDoors(options.config);
  std::optional<TestPluginThread> test_plugin;
  if (options.test_plugin) test_plugin.emplace();
  Service service(options);
  return service.Run(std::move(doors));
}

}  // namespace cnm::daemon
