// fake_drivers.h: a network driver and an address allocator that write down what they are asked.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cnm/engine/driver.h"
#include "cnm/engine/ipam_driver.h"
#include "cnm/engine/labels.h"
#include "common/base/error.h"
#include "common/json/writer.h"

namespace cnm::docker {

/// The calls in order; each throws `failure` when it is set.
class Diary {
 public:
  void Write(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
    if (failure) throw Error(*failure);
  }
  std::string Take() {
    const std::lock_guard lock(mutex_);
    std::string text = fmt::format("{}", fmt::join(lines_, "\n"));
    lines_.clear();
    return text;
  }
  std::optional<Error> failure;

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

inline std::string TextOf(const engine::Interface& interface) {
  json::Writer writer;
  engine::EncodeInterface(interface, writer);
  return writer.Take();
}

inline std::string TextOf(const std::vector<engine::PortBinding>& bindings) {
  json::Writer writer;
  engine::EncodePortBindings(bindings, writer);
  return writer.Take();
}

inline std::string TextOf(const std::vector<engine::PoolData>& pools) {
  json::Writer writer;
  engine::EncodePools(pools, writer);
  return writer.Take();
}

class FakeNetwork : public engine::NetworkDriver {
 public:
  explicit FakeNetwork(Diary& diary) : diary_(diary) {}
  std::string type() const override { return "bridge"; }
  engine::Scope scope() const override { return engine::Scope::kLocal; }
  void CreateNetwork(const engine::NetworkConfig& n) override {
    diary_.Write(fmt::format("create network {} {} ipv6={} internal={} {} {}", n.id, n.options,
                             n.enable_ipv6, n.internal, TextOf(n.ipv4), TextOf(n.ipv6)));
  }
  void DeleteNetwork(const std::string& id) override { diary_.Write("delete network " + id); }
  engine::Interface CreateEndpoint(const engine::EndpointConfig& e) override {
    diary_.Write(fmt::format("create endpoint {}/{} {} {} {} {}", e.network_id, e.id,
                             TextOf(e.interface), e.exposed_ports.size(), TextOf(e.port_bindings),
                             e.options));
    return chosen;
  }
  void DeleteEndpoint(const std::string& network, const std::string& endpoint) override {
    diary_.Write(fmt::format("delete endpoint {}/{}", network, endpoint));
  }
  std::string OperInfo(const std::string& network, const std::string& endpoint) override {
    diary_.Write(fmt::format("info {}/{}", network, endpoint));
    return info;
  }
  engine::JoinInfo Join(const std::string& network, const std::string& endpoint,
                        const std::string& key, const std::string& options) override {
    diary_.Write(fmt::format("join {}/{} {} {}", network, endpoint, key, options));
    return joined;
  }
  void Leave(const std::string& network, const std::string& endpoint) override {
    diary_.Write(fmt::format("leave {}/{}", network, endpoint));
  }
  void ProgramExternalConnectivity(const std::string& network, const std::string& endpoint,
                                   const std::vector<engine::PortBinding>& bindings,
                                   const std::string& /*options*/) override {
    diary_.Write(fmt::format("program {}/{} {}", network, endpoint, TextOf(bindings)));
  }
  void RevokeExternalConnectivity(const std::string& network,
                                  const std::string& endpoint) override {
    diary_.Write(fmt::format("revoke {}/{}", network, endpoint));
  }

  engine::Interface chosen = {};
  engine::JoinInfo joined = {};
  std::string info = {};

 private:
  Diary& diary_;
};

class FakeIpam : public engine::IpamDriver {
 public:
  explicit FakeIpam(Diary& diary) : diary_(diary) {}
  std::string name() const override { return "default"; }
  std::string LocalSpace() override { return "LocalDefault"; }
  std::string GlobalSpace() override { return "GlobalDefault"; }
  engine::Pool RequestPool(const engine::PoolSpec& spec) override {
    diary_.Write(fmt::format(
        "pool {} {} {} {} v6={}", spec.address_space, spec.pool ? spec.pool->ToString() : "any",
        spec.sub_pool ? spec.sub_pool->ToString() : "all", TextOf(spec.options), spec.ipv6));
    return pool;
  }
  void ReleasePool(const std::string& id) override { diary_.Write("release pool " + id); }
  void ReleaseRequest(const std::string& id, const std::string& request) override {
    ReleasePool(id);
    held.erase(request);
  }
  std::optional<net::Prefix> RequestAddress(
      const std::string& pool_id, const std::optional<net::Address>& address,
      const std::map<std::string, std::string>& options) override {
    diary_.Write(fmt::format("address {} {} {}", pool_id, address ? address->ToString() : "any",
                             TextOf(options)));
    return given;
  }
  void ReleaseAddress(const std::string& pool_id, const net::Address& address) override {
    diary_.Write(fmt::format("release address {} {}", pool_id, address.ToString()));
  }

  engine::Pool pool = {};
  std::optional<net::Prefix> given = {};
  std::set<std::string> held = {};  ///< requests' names: a release takes its own off

 private:
  static std::string TextOf(const std::map<std::string, std::string>& options) {
    std::vector<std::string> texts;
    texts.reserve(options.size());
    for (const auto& [key, value] : options) texts.push_back(fmt::format("{}={}", key, value));
    return fmt::format("[{}]", fmt::join(texts, ","));
  }

  Diary& diary_;
};

}  // namespace cnm::docker
