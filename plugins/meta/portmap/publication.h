// publication.h: what the packet filter is asked for: a pure value of configuration and addresses.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "common/firewall/firewall.h"
#include "common/net/prefix.h"
#include "plugins/meta/portmap/config.h"

namespace cnm::portmap {

/// The addresses that ports are published to: the container's first of each family.
struct Targets {
  std::optional<net::Prefix> v4 = {};
  std::optional<net::Prefix> v6 = {};

  /// From all its addresses, in the order of the prevResult.
  static Targets Of(std::span<const net::Prefix> addresses);
};

/// Each mapping once for each family that it serves and the container has. Empty when that is none.
firewall::Publication MakePublication(const Config& config, const Targets& targets);

/// The mappings that are for a family the container has no address of: nothing can be published.
std::vector<Mapping> Unserved(const Config& config, const Targets& targets);

/// Whether a process of the host can reach a mapping through 127.0.0.0/8.
bool IsReachableByLocalhost(const firewall::Publication& publication);

}  // namespace cnm::portmap
