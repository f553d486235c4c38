// local_site.h: what tests of the local driver stand on: a driver in namespaces of its own,
// sandboxes as Docker makes them, another host, servers.
#pragma once

#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cnm/drivers/bridge/driver.h"
#include "cnm/drivers/local/local_driver.h"
#include "common/base/error.h"
#include "integration/support/fresh_netns.h"

namespace cnm::local {

using engine::EndpointConfig;
using engine::JoinInfo;
using engine::NetworkConfig;
using testing::OtherNetns;
using testing::Shell;
using testing::Succeeds;

inline const std::string kBlue = std::string(63, 'b') + "1";
inline const std::string kRed = std::string(63, 'c') + "2";

inline net::Prefix Cidr(const std::string& text) {
  return net::Prefix::Parse(text).value();
}

inline NetworkConfig MakeNetwork(const std::string& id, const std::string& pool,
                                 const std::string& gateway, const std::string& options = "") {
  NetworkConfig config{.id = id, .options = options};
  config.ipv4 = {{.address_space = "LocalDefault", .pool = Cidr(pool), .gateway = Cidr(gateway)}};
  return config;
}

inline EndpointConfig MakeEndpoint(const std::string& network, const std::string& id,
                                   const std::string& address) {
  EndpointConfig config{.network_id = network, .id = id};
  config.interface.address = Cidr(address);
  return config;
}

/// "code message; details" of what `work` throws; "" if nothing.
template <class Work>
std::string Failure(Work work) {
  try {
    work();
  } catch (const Error& e) {
    return fmt::format("{}; {}", e.message(), e.details());
  }
  return "";
}

class LocalDriverTest : public testing::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    std::string name = std::filesystem::temp_directory_path() / "cnm-local-XXXXXX";
    root_ = ::mkdtemp(name.data());
    driver_ = Open();
  }
  void TearDown() override {
    if (!root_.empty()) std::filesystem::remove_all(root_);
  }

  /// A driver over the test's state, as after a restart of the daemon.
  std::unique_ptr<LocalDriver> Open(const std::string& door = "docker",
                                    std::shared_ptr<HostPorts> ports = nullptr) const {
    return std::make_unique<LocalDriver>(LocalOptions{.paths = {.runtime = root_ + "/run"},
                                                      .durable_directory = root_ + "/durable",
                                                      .lease_directory = root_ + "/leases",
                                                      .door = door,
                                                      .runtime = "/usr/bin/dockerd",
                                                      .ports = std::move(ports)});
  }

  /// Creates and joins an endpoint, and does what Docker does with the link.
  JoinInfo Attach(const EndpointConfig& config, const OtherNetns& sandbox,
                  const std::string& labels = "") const {
    driver_->CreateEndpoint(config);
    JoinInfo info = driver_->Join(config.network_id, config.id, "/run/docker/netns/x", labels);
    Shell(fmt::format("ip link set {} netns {}", info.src_name, sandbox.path()));
    Shell(sandbox.Inside(fmt::format("ip link set {} name eth0", info.src_name)));
    for (const auto& address : {config.interface.address, config.interface.address_ipv6}) {
      if (!address) continue;
      Shell(sandbox.Inside(fmt::format("ip addr add {} dev eth0 {}", address->ToString(),
                                       address->address.is_v4() ? "" : "nodad")));
    }
    Shell(sandbox.Inside("ip link set eth0 up"));
    if (info.gateway) {
      Shell(sandbox.Inside(fmt::format("ip route add default via {}", info.gateway->ToString())));
    }
    return info;
  }

  /// Makes the name "iptables" mean this variant, "nft" or "legacy", for this process.
  void UseIptables(const std::string& variant) const {
    const std::string bin = root_ + "/bin";
    std::filesystem::create_directories(bin);
    for (const char* const program : {"iptables", "ip6tables"}) {
      for (const char* const suffix : {"", "-save", "-restore"}) {
        std::filesystem::create_symlink(fmt::format("/usr/sbin/{}-{}{}", program, variant, suffix),
                                        fmt::format("{}/{}{}", bin, program, suffix));
      }
    }
    ::setenv("PATH", fmt::format("{}:/usr/sbin:/usr/bin:/sbin:/bin", bin).c_str(), 1);
    ASSERT_EQ(::mount("none", "/run", "tmpfs", 0, nullptr), 0);  // the lock of iptables
  }

  /// The core as another process has it: cnmctl, say.
  Controller AnotherProcess() const {
    static constinit const bridge::BridgeDriver kBridge;
    ControllerOptions options;
    options.drivers = {&kBridge};
    options.paths.runtime = root_ + "/run";
    options.release_addresses = [](const std::string& /*journal*/) {};
    return Controller(std::move(options));
  }
  ReloadReport Reload() const { return AnotherProcess().Reload(); }

  std::string Lease(const std::string& network, const std::string& address) const {
    std::ifstream file(fmt::format("{}/leases/{}/{}", root_, network, address));
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string root_;
  std::unique_ptr<LocalDriver> driver_;
};

inline bool Pings(const OtherNetns& from, const std::string& address) {
  return Succeeds(from.Inside("ping -c1 -W2 " + address));
}

/// Another host on 198.51.100.0/24, which reaches this one and knows no route to its networks.
class Outside {
 public:
  Outside() {
    Shell("ip link add up0 type veth peer name far0");
    Shell("ip link set far0 netns " + netns_.path());
    Shell("ip addr add 198.51.100.1/24 dev up0 && ip link set up0 up");
    Shell(netns_.Inside("ip addr add 198.51.100.9/24 dev far0"));
    Shell(netns_.Inside("ip link set far0 up"));
  }
  const OtherNetns& netns() const { return netns_; }

 private:
  OtherNetns netns_;
};

/// A server in Python, in a namespace or on the test's own host; ends with this object.
class Server {
 public:
  /// Answers every TCP connection with `word`.
  Server(const OtherNetns& netns, int port, const std::string& word)
      : Server(netns, Listening(port), Answering(word)) {}
  /// After the statement `open`, which makes `s`, carries out `serve` for ever.
  Server(const OtherNetns& netns, const std::string& open, const std::string& serve) {
    Start(netns.Inside(Script(open, serve)));
  }
  ~Server() {
    ::kill(pid_, SIGKILL);
    std::filesystem::remove(pid_file_);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 protected:
  explicit Server(int port) { Start(Script(Listening(port), Answering("host"))); }

 private:
  static std::string Listening(int port) {
    return fmt::format("s=socket.create_server(('',{}))", port);
  }
  static std::string Answering(const std::string& word) {
    return fmt::format("c=s.accept()[0];c.sendall(b'{}');c.close()", word);
  }
  std::string Script(const std::string& open, const std::string& serve) {
    pid_file_ = std::filesystem::temp_directory_path() / "cnm-server-XXXXXX";
    ::close(::mkstemp(pid_file_.data()));
    return fmt::format(
        "python3 -c \"import os,socket\n{}\nif os.fork():os._exit(0)\n"
        "os.close(1);os.close(2);open('{}','w').write(str(os.getpid()))\nwhile 1:{}\"",
        open, pid_file_, serve);
  }
  void Start(const std::string& command) {
    Shell(command);
    while (pid_ == 0) std::ifstream(pid_file_) >> pid_;
  }

  std::string pid_file_;
  pid_t pid_ = 0;
};

/// The same on the test's own host.
class OwnServer : public Server {
 public:
  explicit OwnServer(int port) : Server(port) {}
};

/// What a Python statement says when it fails in the test's own namespace; "" if it does not.
inline std::string Python(const std::string& statement) {
  return Shell(fmt::format(
      "python3 -c \"import socket as s\ntry:{}\nexcept OSError as e:print(e.strerror)\"",
      statement));
}

/// What a connection from there answers; "" when there is none.
inline std::string Ask(const OtherNetns& from, const std::string& address, int port) {
  return Shell(
      from.Inside(fmt::format("python3 -c \"import "
                              "socket\ntry:c=socket.create_connection(('{}',{}),2);c.settimeout(20)"
                              ";print(c.recv(9).decode())\nexcept OSError:pass\"",
                              address, port)));
}

}  // namespace cnm::local
