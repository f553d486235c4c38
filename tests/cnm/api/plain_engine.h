// plain_engine.h: an engine in a folder of its own, with a driver and an IPAM that touch no kernel.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cnm/engine/engine.h"

namespace cnm::api {

/// Accepts everything; has its own gateway, so that no other network is needed for one.
class PlainDriver : public engine::NetworkDriver {
 public:
  explicit PlainDriver(std::string type) : type_(std::move(type)) {}
  std::string type() const override { return type_; }
  engine::Scope scope() const override { return engine::Scope::kLocal; }
  void CreateNetwork(const engine::NetworkConfig& /*network*/) override {}
  void DeleteNetwork(const std::string& /*network*/) override {}
  engine::Interface CreateEndpoint(const engine::EndpointConfig& /*endpoint*/) override {
    return {};
  }
  void DeleteEndpoint(const std::string& /*network*/, const std::string& /*endpoint*/) override {}
  std::string OperInfo(const std::string& /*network*/, const std::string& /*endpoint*/) override {
    return R"({"plain":true})";
  }
  engine::JoinInfo Join(const std::string& /*network*/, const std::string& /*endpoint*/,
                        const std::string& /*sandbox*/, const std::string& /*options*/) override {
    engine::JoinInfo info;
    info.disable_gateway_service = true;
    return info;
  }
  void Leave(const std::string& /*network*/, const std::string& /*endpoint*/) override {}
  void ProgramExternalConnectivity(const std::string& /*network*/, const std::string& /*endpoint*/,
                                   const std::vector<engine::PortBinding>& /*bindings*/,
                                   const std::string& /*options*/) override {}
  void RevokeExternalConnectivity(const std::string& /*network*/,
                                  const std::string& /*endpoint*/) override {}

 private:
  std::string type_;
};

/// Every pool is 192.0.2.0/24, every address the one asked for or the next.
class PlainIpam : public engine::IpamDriver {
 public:
  std::string name() const override { return "default"; }
  std::string LocalSpace() override { return "local"; }
  std::string GlobalSpace() override { return "global"; }
  engine::Pool RequestPool(const engine::PoolSpec& spec) override {
    return {.id = "pool", .pool = spec.pool.value_or(*net::Prefix::Parse("192.0.2.0/24"))};
  }
  void ReleasePool(const std::string& /*pool*/) override {}
  std::optional<net::Prefix> RequestAddress(
      const std::string& /*pool*/, const std::optional<net::Address>& address,
      const std::map<std::string, std::string>& /*options*/) override {
    return net::Prefix{address ? *address : net::Address::Parse("192.0.2.0")->Plus(++last_ % 250),
                       24};
  }
  void ReleaseAddress(const std::string& /*pool*/, const net::Address& /*address*/) override {}

 private:
  uint64_t last_ = 0;
};

/// The engine and its folder, which goes with it. Drivers: "bridge" and "test".
class PlainEngine {
 public:
  PlainEngine() {
    std::string pattern = "/tmp/cnm-api-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    engine::EngineOptions options;
    options.runtime_directory = folder_ + "/run";
    options.durable_directory = folder_ + "/lib";
    options.files_directory = folder_ + "/files";
    options.netns_directory = folder_ + "/netns";
    options.default_network = "standard";
    options.drivers = {std::make_shared<PlainDriver>("bridge"),
                       std::make_shared<PlainDriver>("test")};
    options.ipams = {std::make_shared<PlainIpam>()};
    engine_ = std::make_unique<engine::Engine>(std::move(options));
  }
  PlainEngine(const PlainEngine&) = delete;
  PlainEngine& operator=(const PlainEngine&) = delete;
  ~PlainEngine() {
    engine_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  engine::Engine& engine() { return *engine_; }

 private:
  std::string folder_;
  std::unique_ptr<engine::Engine> engine_;
};

}  // namespace cnm::api
