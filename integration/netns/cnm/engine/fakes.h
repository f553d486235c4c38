// fakes.h: what engine tests stand on: a driver that makes veth pairs on a bridge with ip(8), an
// IPAM that keeps a file for everything it has given, and an engine in directories of its own.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cnm/engine/driver.h"
#include "cnm/engine/engine.h"
#include "cnm/engine/ipam_driver.h"
#include "common/base/error.h"
#include "integration/support/fresh_netns.h"

namespace cnm::engine {

/// Makes veth pairs. All names are derived from ids, so that a new one can go on with an old one's.
class VethDriver : public NetworkDriver {
 public:
  explicit VethDriver(std::string type) : type_(std::move(type)) {}

  bool gives_gateway = true;
  bool returns_links = false;
  std::vector<std::string> log;                              ///< of published ports
  std::function<void(const std::string& call)> before = {};  ///< each call

  std::string type() const override { return type_; }
  Scope scope() const override { return Scope::kLocal; }
  bool ReturnsLinks() const override { return returns_links; }

  void CreateNetwork(const NetworkConfig& network) override {
    Call("CreateNetwork");
    const std::lock_guard guard(mutex_);
    networks_[network.id] = network;
    const std::string bridge = Bridge(network.id);
    if (testing::Succeeds("ip link show " + bridge)) return;
    testing::Shell(fmt::format("ip link add {0} type bridge && ip link set {0} up", bridge));
    for (const auto* pools : {&network.ipv4, &network.ipv6}) {
      for (const PoolData& pool : *pools) {
        if (!pool.gateway) continue;
        testing::Shell(fmt::format("ip address add {} dev {}{}", pool.gateway->ToString(), bridge,
                                   pool.pool.address.is_v4() ? "" : " nodad"));
      }
    }
  }
  void DeleteNetwork(const std::string& network_id) override {
    Call("DeleteNetwork");
    testing::Succeeds("ip link delete " + Bridge(network_id));
  }
  Interface CreateEndpoint(const EndpointConfig& endpoint) override {
    Call("CreateEndpoint");
    Interface chosen;
    if (!endpoint.interface.mac) {
      chosen.mac = net::Mac::Parse(fmt::format("02:00:00:{}:{}:{}", endpoint.id.substr(0, 2),
                                               endpoint.id.substr(2, 2), endpoint.id.substr(4, 2)));
    }
    return chosen;
  }
  void DeleteEndpoint(const std::string& /*network*/, const std::string& /*id*/) override {
    Call("DeleteEndpoint");
  }
  std::string OperInfo(const std::string& /*network*/, const std::string& /*id*/) override {
    return "{}";
  }
  JoinInfo Join(const std::string& network_id, const std::string& endpoint_id,
                const std::string& /*key*/, const std::string& /*options*/) override {
    Call("Join");
    const std::string id = endpoint_id.substr(0, 10);
    testing::Shell(fmt::format("ip link add h{0} up master {1} type veth peer name c{0}", id,
                               Bridge(network_id)));
    JoinInfo info{.src_name = "c" + id, .dst_prefix = "eth"};
    const NetworkConfig& network = networks_[network_id];
    if (!gives_gateway || network.internal) return info;
    if (!network.ipv4.empty()) info.gateway = network.ipv4[0].gateway->address;
    if (!network.ipv6.empty()) info.gateway_ipv6 = network.ipv6[0].gateway->address;
    return info;
  }
  void Leave(const std::string& /*network_id*/, const std::string& endpoint_id) override {
    Call("Leave");
    if (returns_links) return;
    testing::Succeeds("ip link delete h" + endpoint_id.substr(0, 10));
  }
  void ProgramExternalConnectivity(const std::string& /*network*/, const std::string& endpoint_id,
                                   const std::vector<PortBinding>& bindings,
                                   const std::string& /*options*/) override {
    Call("Program");
    log.push_back(fmt::format("program {} {}", endpoint_id, bindings.size()));
  }
  void RevokeExternalConnectivity(const std::string& /*network*/,
                                  const std::string& endpoint_id) override {
    Call("Revoke");
    log.push_back(fmt::format("revoke {}", endpoint_id));
  }

  static std::string Bridge(const std::string& network_id) {
    return "b" + network_id.substr(0, 12);
  }

 private:
  void Call(const std::string& name) const {
    if (before) before(name);
  }

  const std::string type_;
  std::mutex mutex_;
  std::map<std::string, NetworkConfig> networks_;
};

/// Pools 10.N.0.0/24 and what is asked for; a file for each pool and address that is out.
class FileIpam : public IpamDriver {
 public:
  explicit FileIpam(std::string directory) : directory_(std::move(directory)) {
    std::filesystem::create_directories(directory_);
  }

  std::string name() const override { return "default"; }
  std::string LocalSpace() override { return "local"; }
  std::string GlobalSpace() override { return "global"; }

  Pool RequestPool(const PoolSpec& spec) override {
    const std::lock_guard guard(mutex_);
    for (int i = 1;; ++i) {
      const net::Prefix pool =
          spec.pool ? *spec.pool : *net::Prefix::Parse(fmt::format("10.{}.0.0/24", i));
      const std::string id = Name(pool.ToString());
      if (Take(id)) return {id, pool};
      if (spec.pool) throw Error(Code::kOverlap, "pool overlaps");
    }
  }
  void ReleasePool(const std::string& pool_id) override { Give(pool_id); }
  std::optional<net::Prefix> RequestAddress(
      const std::string& pool_id, const std::optional<net::Address>& address,
      const std::map<std::string, std::string>& /*options*/) override {
    const std::lock_guard guard(mutex_);
    std::string text = pool_id;
    for (char& c : text) c = c == '_' ? '/' : c;
    const net::Prefix pool = *net::Prefix::Parse(text);
    for (uint64_t host = 1; host < 250; ++host) {
      const net::Address wanted = address.value_or(pool.address.Plus(host));
      if (Take(pool_id + "@" + wanted.ToString())) return net::Prefix{wanted, pool.length};
      if (address) throw Error(Code::kInUse, "address in use");
    }
    throw Error(Code::kExhausted, "no available addresses");
  }
  void ReleaseAddress(const std::string& pool_id, const net::Address& address) override {
    Give(pool_id + "@" + address.ToString());
  }

 private:
  static std::string Name(std::string pool) {
    for (char& c : pool) c = c == '/' ? '_' : c;
    return pool;
  }
  bool Take(const std::string& name) const {
    const std::string path = directory_ + "/" + name;
    if (std::filesystem::exists(path)) return false;
    const std::ofstream made(path);
    return true;
  }
  void Give(const std::string& name) const { std::filesystem::remove(directory_ + "/" + name); }

  const std::string directory_;
  std::mutex mutex_;
};

class EngineNetns : public testing::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    char path[] = "/tmp/engine-test-XXXXXX";
    ASSERT_NE(::mkdtemp(path), nullptr);
    root_ = path;
    Start();
  }
  void TearDown() override {
    engine_.reset();
    if (root_.empty()) return;
    testing::Succeeds(fmt::format("umount {}/netns/*", root_));
    std::filesystem::remove_all(root_);
  }

  /// A new engine with new drivers: a daemon's start.
  void Start() {
    engine_.reset();
    bridge_ = std::make_shared<VethDriver>("bridge");
    plain_ = std::make_shared<VethDriver>("plain");
    plain_->gives_gateway = false;
    engine_ = std::make_unique<Engine>(Options());
  }
  EngineOptions Options() {
    EngineOptions options;
    options.runtime_directory = root_ + "/run";
    options.durable_directory = root_ + "/lib";
    options.files_directory = root_ + "/files";
    options.netns_directory = root_ + "/netns";
    options.drivers = {bridge_, plain_};
    options.ipams = {std::make_shared<FileIpam>(root_ + "/ipam")};
    return options;
  }

  std::string MakeNetwork(const std::string& name, const std::string& type = "bridge") {
    NetworkSpec spec;
    spec.name = name;
    spec.type = type;
    return engine_->CreateNetwork(spec);
  }
  std::string MakeEndpoint(const std::string& network, const std::string& name) {
    EndpointSpec spec;
    spec.name = name;
    return engine_->CreateEndpoint(network, spec);
  }
  std::string MakeSandbox(const std::string& container) {
    SandboxSpec spec;
    spec.container_id = container;
    spec.host_name = container;
    spec.domain_name = "example";
    return engine_->CreateSandbox(spec);
  }
  std::string Inside(const std::string& sandbox, const std::string& command) const {
    return fmt::format("nsenter --net={} {}", engine_->GetSandbox(sandbox).key, command);
  }
  std::string HostsPath(const std::string& sandbox) const {
    return fmt::format("{}/files/{}/hosts", root_, sandbox);
  }
  /// By the names in the sandbox's hosts file, as its container would.
  bool Pings(const std::string& sandbox, const std::string& name) const {
    return testing::Succeeds(fmt::format("unshare -m sh -c 'mount --bind {} /etc/hosts && {}'",
                                         HostsPath(sandbox),
                                         Inside(sandbox, fmt::format("ping -c1 -W5 {}", name))));
  }
  /// Whether a line of the hosts file has the name.
  bool Knows(const std::string& sandbox, const std::string& name) const {
    return testing::Succeeds(fmt::format("grep -qP '\\t{}$' {}", name, HostsPath(sandbox)));
  }
  std::string DefaultGateway(const std::string& sandbox) const {
    return testing::Shell(Inside(sandbox, "ip -j route show default") +
                          " | python3 -c 'import json,sys; print(*[r[\"gateway\"] for r in "
                          "json.load(sys.stdin)])'");
  }
  std::string LinksOf(const std::string& sandbox) const {
    return testing::Shell(Inside(sandbox, "ip -j link") +
                          " | python3 -c 'import json,sys; print(*sorted(l[\"ifname\"] for l in "
                          "json.load(sys.stdin)))'");
  }
  /// All that an engine leaves anywhere, a line each.
  std::string Leftovers() const {
    return testing::Shell(fmt::format(
        "cd {} && find netns files ipam run/engine-* lib/engine-* -mindepth 1 2>/dev/null | sort; "
        "ip -o link | cut -d: -f2 | grep -v ' lo' | sort; true",
        root_));
  }

  std::string root_;
  std::shared_ptr<VethDriver> bridge_;
  std::shared_ptr<VethDriver> plain_;
  std::unique_ptr<Engine> engine_;
};

/// The message of the Error that `work` throws; "" when it throws none.
inline std::string MessageOf(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

}  // namespace cnm::engine
