// host_ports.cc: the host's ports that published ports are chosen from.
#include "cnm/drivers/local/host_ports.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/base/log.h"

namespace cnm::local {
namespace {

PortRange EphemeralRange(PortRange given) {
  if (given != PortRange{}) return given;
  const auto text = ReadFile("/proc/sys/net/ipv4/ip_local_port_range");
  const auto host = text ? ParsePortRange(*text) : std::nullopt;
  return host.value_or(PortRange{49153, 65535});
}

/// How many ports of other programs are passed over.
constexpr int kAttempts = 10;

PortRequest RequestOf(const engine::PortBinding& binding) {
  return {.addresses = HostAddressesOf(binding),
          .protocol = ProtocolOf(binding),
          .range = {binding.host_port, std::max(binding.host_port, binding.host_port_end)},
          .count = 1};
}

}  // namespace

firewall::Protocol ProtocolOf(const engine::PortBinding& binding) {
  using firewall::Protocol;
  for (const Protocol known : {Protocol::kTcp, Protocol::kUdp, Protocol::kSctp}) {
    if (binding.protocol == static_cast<uint8_t>(known)) return known;
  }
  throw Error(Code::kConfig, fmt::format("invalid transport protocol: {}", binding.protocol));
}

void CheckBindings(const std::vector<engine::PortBinding>& bindings) {
  for (const engine::PortBinding& binding : bindings) {
    ProtocolOf(binding);
    if (binding.port == 0) {
      throw Error(Code::kConfig, fmt::format("invalid port: {}", binding.port),
                  "the container's port that is to be published is 1 to 65535");
    }
    if (binding.host_port_end == 0 || binding.host_port_end >= binding.host_port) continue;
    throw Error(Code::kConfig,
                fmt::format("invalid port range: {}-{}", binding.host_port, binding.host_port_end));
  }
}

std::vector<net::Address> HostAddressesOf(const engine::PortBinding& binding) {
  if (binding.host_ip) return {*binding.host_ip};
  return {net::Address(), net::Address::Parse("::").value()};
}

HostPorts::HostPorts(PortRange ephemeral, bool bound, std::shared_ptr<PortProxy> proxy)
    : allocator_(EphemeralRange(ephemeral)), bound_(bound), proxy_(std::move(proxy)) {}

void HostPorts::Bind(const engine::PortBinding& binding) {
  if (!bound_) return;
  for (const net::Address& address : HostAddressesOf(binding)) {
    sockets_.Hold({ProtocolOf(binding), address, binding.host_port});
  }
}

engine::PortBinding HostPorts::TakeOne(const engine::PortBinding& wanted) {
  const PortRequest request = RequestOf(wanted);
  const bool choice = wanted.host_port == 0 || request.range.last > request.range.first;
  for (int attempt = 1;; ++attempt) {
    engine::PortBinding chosen = wanted;
    chosen.host_port = chosen.host_port_end = allocator_.Request(request).first;
    try {
      Bind(chosen);
      return chosen;
    } catch (const Error& e) {
      GiveBackOne(chosen);  // the next request looks behind it
      if (e.code() != Code::kInUse || !choice || attempt == kAttempts) throw;
    }
  }
}

void HostPorts::ServeOne(const engine::PortBinding& binding,
                         const std::vector<net::Address>& targets) {
  if (!proxy_ || targets.empty()) return;
  if (ProtocolOf(binding) == firewall::Protocol::kSctp) {
    return Warn(fmt::format("published port {}/sctp: the userland proxy serves tcp and udp only",
                            binding.host_port));
  }
  for (const net::Address& address : HostAddressesOf(binding)) {
    const auto same = std::find_if(targets.begin(), targets.end(), [&](const net::Address& target) {
      return target.family() == address.family();
    });
    const HostPort port{ProtocolOf(binding), address, binding.host_port};
    Fd socket = sockets_.Duplicate(port);
    if (!socket) continue;
    const net::Address& target = same == targets.end() ? targets.front() : *same;
    proxy_->Serve(port, std::move(socket), target, binding.port);
  }
}

void HostPorts::NoteOne(const engine::PortBinding& binding,
                        const std::vector<net::Address>& targets) {
  try {
    allocator_.Request(RequestOf(binding));
  } catch (const Error& e) {
    if (e.code() != Code::kInUse) throw;
    return;
  }
  try {
    Bind(binding);
    ServeOne(binding, targets);
  } catch (const Error& e) {
    Warn(fmt::format("published port: {}", e.message()));
  }
}

void HostPorts::GiveBackOne(const engine::PortBinding& binding) {
  for (const net::Address& address : HostAddressesOf(binding)) {
    const HostPort port{ProtocolOf(binding), address, binding.host_port};
    if (proxy_) proxy_->Stop(port);
    sockets_.LetGo(port);
    allocator_.Release(address, port.protocol, {port.port, port.port});
  }
}

std::vector<engine::PortBinding> HostPorts::Take(const std::vector<engine::PortBinding>& wanted) {
  const std::lock_guard guard(mutex_);
  std::vector<engine::PortBinding> taken;
  taken.reserve(wanted.size());
  try {
    for (const engine::PortBinding& binding : wanted) taken.push_back(TakeOne(binding));
  } catch (const Error&) {
    for (const engine::PortBinding& binding : taken) GiveBackOne(binding);
    throw;
  }
  return taken;
}

void HostPorts::Note(const std::vector<engine::PortBinding>& bindings,
                     const std::vector<net::Address>& targets) {
  const std::lock_guard guard(mutex_);
  for (const engine::PortBinding& binding : bindings) NoteOne(binding, targets);
}

void HostPorts::Serve(const std::vector<engine::PortBinding>& bindings,
                      const std::vector<net::Address>& targets) {
  const std::lock_guard guard(mutex_);
  for (const engine::PortBinding& binding : bindings) ServeOne(binding, targets);
}

void HostPorts::GiveBack(const std::vector<engine::PortBinding>& bindings) {
  const std::lock_guard guard(mutex_);
  for (const engine::PortBinding& binding : bindings) GiveBackOne(binding);
}

}  // namespace cnm::local
