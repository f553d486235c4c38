// port_allocator.h: which ports of the host's addresses are given out.
#pragma once

#include <bitset>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "common/firewall/firewall.h"
#include "common/net/address.h"

namespace cnm {

/// Ports `first` to `last`, both included.
struct PortRange {
  uint16_t first = 0;
  uint16_t last = 0;
  auto operator<=>(const PortRange&) const = default;  // NOLINT(modernize-use-nullptr): misread
};

/// The text of /proc/sys/net/ipv4/ip_local_port_range, "32768\t60999\n"; nullopt if it is not two
/// ports in ascending order.
std::optional<PortRange> ParsePortRange(std::string_view text);

/// What is asked for: `count` ports in a row, the same ones on every address.
struct PortRequest {
  /// At least one. 0.0.0.0 and :: stand for all addresses of their family.
  std::vector<net::Address> addresses = {net::Address()};
  firewall::Protocol protocol = firewall::Protocol::kTcp;
  PortRange range = {};  ///< where to look; {0, 0}: the ephemeral range
  uint16_t count = 1;
};

/// The ports of the host's addresses, for each protocol.
///
/// Two holders of one port conflict if their addresses are equal, or if one of them is the wildcard
/// of the other's family: that is when the second bind(2) would fail. IPv4 and IPv6 do not
/// conflict, as published IPv6 sockets are IPV6_V6ONLY.
///
/// A range that has room for more than one answer is searched from behind the last port it gave,
/// and each range remembers its own place for each (first) address and protocol: a port that was
/// just released is the last to be given again.
///
/// Nothing but memory: no socket is bound, and other programs' ports are not known. Not thread
/// safe.
class PortAllocator {
 public:
  /// @param ephemeral where a request without a range looks; the host's own, or this default of
  ///        IANA's dynamic ports but one
  explicit PortAllocator(PortRange ephemeral = {49153, 65535}) : ephemeral_(ephemeral) {}

  /// Takes `count` ports and returns them. Takes nothing when it throws:
  /// @throws Error kConfig "invalid port range: 8080-80", also for a range smaller than `count`;
  ///         "unknown protocol: 1"
  /// @throws Error kInUse "Bind for 192.0.2.1:80 failed: port is already allocated" when the range
  ///         has no other choice; the details name the address that holds it
  /// @throws Error kExhausted "all ports are allocated" when there is no such row left in the range
  PortRange Request(const PortRequest& request);

  /// Frees those of `ports` that are taken on this very address. @returns whether all were
  bool Release(const net::Address& address, firewall::Protocol protocol, PortRange ports);

  /// Frees everything and forgets every range's place.
  void ReleaseAll();

 private:
  using Ports = std::bitset<65536>;
  using PoolKey = std::tuple<firewall::Protocol, net::Address>;
  using PlaceKey = std::tuple<firewall::Protocol, net::Address, PortRange>;

  Ports TakenFor(const net::Address& address, firewall::Protocol protocol) const;
  PortRange Search(const PortRequest& request, PortRange range);
  void RequireFree(const PortRequest& request) const;
  void Take(const PortRequest& request, PortRange ports);

  PortRange ephemeral_;
  std::map<PoolKey, Ports> pools_;       // no empty ones
  std::map<PlaceKey, uint32_t> places_;  // where the next search begins
};

}  // namespace cnm
