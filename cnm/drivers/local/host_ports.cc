// host_ports.cc: the host's ports that published ports are chosen from.
#include "cnm/drivers/local/host_ports.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/base/atomic_file.h"
#include "common/base/error.h"

namespace cnm::local {
namespace {

PortRange EphemeralRange(PortRange given) {
  if (given != PortRange{}) return given;
  const auto text = ReadFile("/proc/sys/net/ipv4/ip_local_port_range");
  const auto host = text ? ParsePortRange(*text) : std::nullopt;
  return host.value_or(PortRange{49153, 65535});
}

}  // namespace

firewall::Protocol ProtocolOf(const engine::PortBinding& binding) {
  using firewall::Protocol;
  for (const Protocol known : {Protocol::kTcp, Protocol::kUdp, Protocol::kSctp}) {
    if (binding.protocol == static_cast<uint8_t>(known)) return known;
  }
  throw Error(Code::kConfig, fmt::format("invalid transport protocol: {}", binding.protocol));
}

std::vector<net::Address> HostAddressesOf(const engine::PortBinding& binding) {
  if (binding.host_ip) return {*binding.host_ip};
  return {net::Address(), net::Address::Parse("::").value()};
}

HostPorts::HostPorts(PortRange ephemeral) : allocator_(EphemeralRange(ephemeral)) {}

engine::PortBinding HostPorts::TakeOne(const engine::PortBinding& wanted) {
  const uint16_t last = std::max(wanted.host_port, wanted.host_port_end);
  const PortRange taken = allocator_.Request({.addresses = HostAddressesOf(wanted),
                                              .protocol = ProtocolOf(wanted),
                                              .range = {wanted.host_port, last},
                                              .count = 1});
  engine::PortBinding chosen = wanted;
  chosen.host_port = taken.first;
  chosen.host_port_end = taken.first;
  return chosen;
}

void HostPorts::GiveBackOne(const engine::PortBinding& binding) {
  for (const net::Address& address : HostAddressesOf(binding)) {
    allocator_.Release(address, ProtocolOf(binding), {binding.host_port, binding.host_port});
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

void HostPorts::Note(const std::vector<engine::PortBinding>& bindings) {
  const std::lock_guard guard(mutex_);
  for (const engine::PortBinding& binding : bindings) {
    try {
      TakeOne(binding);
    } catch (const Error& e) {
      if (e.code() != Code::kInUse) throw;
    }
  }
}

void HostPorts::GiveBack(const std::vector<engine::PortBinding>& bindings) {
  const std::lock_guard guard(mutex_);
  for (const engine::PortBinding& binding : bindings) GiveBackOne(binding);
}

}  // namespace cnm::local
