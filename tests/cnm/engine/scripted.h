// scripted.h: an engine without a kernel, for tests: drivers that write down what they are asked.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cnm/engine/engine.h"
#include "cnm/engine/pool_request.h"
#include "common/base/error.h"

namespace cnm::engine {

using Log = std::vector<std::string>;

/// Writes down what it is asked, and fails on the calls that it is told to. Set up by one thread,
/// called by several.
struct Script {
  Log log = {};
  std::string fails = {};
  std::string fails_too = {};
  Code code = Code::kKernel;
  std::string no_gateway = {};          ///< id of the network whose joins bring none
  bool replays = false;                 ///< the IPAM driver forgets when the engine ends
  std::set<std::string> requests = {};  ///< whose pools have not been released
  void Call(const std::string& call) {
    const std::lock_guard guard(mutex_);
    log.push_back(call);
    for (const std::string& prefix : {fails, fails_too}) {
      if (call.starts_with(prefix) && !prefix.empty()) throw Error(code, "refused");
    }
  }

 private:
  std::mutex mutex_;
};

class ScriptedDriver : public NetworkDriver {
 public:
  explicit ScriptedDriver(Script* script) : script_(script) {}
  std::string type() const override { return "bridge"; }
  Scope scope() const override { return Scope::kLocal; }
  void CreateNetwork(const NetworkConfig& network) override {
    script_->Call("create network " + network.name);
  }
  void DeleteNetwork(const std::string& /*id*/) override { script_->Call("delete network"); }
  Interface CreateEndpoint(const EndpointConfig& endpoint) override {
    script_->Call("create endpoint " + endpoint.options);
    return {};
  }
  void DeleteEndpoint(const std::string& /*n*/, const std::string& /*e*/) override {
    script_->Call("delete endpoint");
  }
  std::string OperInfo(const std::string& /*n*/, const std::string& /*e*/) override { return "{}"; }
  JoinInfo Join(const std::string& network_id, const std::string& /*e*/, const std::string& /*key*/,
                const std::string& options) override {
    script_->Call("join " + options);
    if (network_id == script_->no_gateway) return {};
    return {.src_name = {}, .dst_prefix = {}, .gateway = net::Address::Parse("192.0.2.1")};
  }
  void Leave(const std::string& /*n*/, const std::string& /*e*/) override {
    script_->Call("leave");
  }
  void ProgramExternalConnectivity(const std::string& /*n*/, const std::string& /*e*/,
                                   const std::vector<PortBinding>& /*bindings*/,
                                   const std::string& /*options*/) override {
    script_->Call("program");
  }
  void RevokeExternalConnectivity(const std::string& /*n*/, const std::string& /*e*/) override {
    script_->Call("revoke");
  }

 private:
  Script* script_;
};

class ScriptedIpam : public IpamDriver {
 public:
  explicit ScriptedIpam(Script* script) : script_(script) {}
  std::string name() const override { return "default"; }
  bool requires_replay() const override { return script_->replays; }
  std::string LocalSpace() override { return "local"; }
  std::string GlobalSpace() override { return "global"; }
  Pool RequestPool(const PoolSpec& spec) override {
    const net::Prefix pool = spec.pool.value_or(*net::Prefix::Parse("192.0.2.0/24"));
    script_->Call(fmt::format("pool {}{}", pool.ToString(),
                              spec.sub_pool ? " " + spec.sub_pool->ToString() : ""));
    const auto request = spec.options.find(kRequestOption);
    if (request != spec.options.end()) script_->requests.insert(request->second);
    return {pool.ToString(), pool};
  }
  void ReleasePool(const std::string& id) override { script_->Call("release pool " + id); }
  void ReleaseRequest(const std::string& id, const std::string& request) override {
    ReleasePool(id);
    script_->requests.erase(request);
  }
  bool HoldsRequest(const std::string& /*id*/, const std::string& request) override {
    return script_->requests.contains(request);
  }
  std::optional<net::Prefix> RequestAddress(
      const std::string& /*pool*/, const std::optional<net::Address>& address,
      const std::map<std::string, std::string>& options) override {
    const bool gateway = options.contains(kRequestTypeLabel);
    const net::Address given =
        address.value_or(*net::Address::Parse(gateway ? "192.0.2.1" : "192.0.2.2"));
    script_->Call(fmt::format("address {}", given.ToString()));
    return net::Prefix{given, 24};
  }
  void ReleaseAddress(const std::string& /*pool*/, const net::Address& address) override {
    script_->Call("release " + address.ToString());
  }

 private:
  Script* script_;
};

class EngineTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/engine-unit-XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    root_ = path;
    Start();
  }
  void TearDown() override {
    engine_.reset();
    std::filesystem::remove_all(root_);
  }

  /// A new engine goes on with what the old one has written down.
  void Start() {
    engine_.reset();
    EngineOptions options;
    options.runtime_directory = root_ + "/run";
    options.durable_directory = root_ + "/lib";
    options.files_directory = root_ + "/files";
    options.netns_directory = root_ + "/netns";
    options.drivers = {std::make_shared<ScriptedDriver>(&script_)};
    options.ipams = {std::make_shared<ScriptedIpam>(&script_)};
    options.tell = [this](const Event& event) {
      told_.push_back(fmt::format("{} {}/{} {}{}", event.verb, event.network, event.endpoint,
                                  event.container,
                                  event.error == nullptr ? "" : " " + event.error->message()));
    };
    options.find_driver = [found = found_](const std::string& type) {
      return type == "plugin" ? found.get() : nullptr;
    };
    options.find_ipam = [this](const std::string& /*name*/) { return plugin_ipam_; };
    engine_ = std::make_unique<Engine>(options);
  }

  NetworkSpec BlueSpec() const {
    NetworkSpec spec;
    spec.name = "blue";
    PoolConfig pool;
    pool.preferred_pool = "192.0.2.0/24";
    pool.aux_addresses = {{"router", "192.0.2.9"}};
    spec.ipv4 = {pool};
    return spec;
  }
  /// A sandbox that needs no kernel: its namespace never comes.
  std::string MakeSandbox() {
    SandboxSpec spec;
    spec.container_id = "c1";
    spec.use_external_key = true;
    spec.options = R"({"label":1})";
    return engine_->CreateSandbox(spec);
  }

  std::string root_;
  Script script_;
  std::vector<std::string> told_;                        ///< each event as a line
  std::promise<std::shared_ptr<NetworkDriver>> plugin_;  ///< fulfilled: the plugin answers
  std::shared_future<std::shared_ptr<NetworkDriver>> found_ = plugin_.get_future().share();
  std::shared_ptr<IpamDriver> plugin_ipam_;  ///< while it answers
  std::unique_ptr<Engine> engine_;
};

}  // namespace cnm::engine
