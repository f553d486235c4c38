// firewall.h: what an endpoint wants of the packet filter, as values, and the interface every
// backend serves.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/net/mac.h"
#include "common/net/prefix.h"

namespace cnm::firewall {

/// Packets from this address to anything outside its subnet, except multicast, leave with the
/// host's address. (The prefix holds the address and, by its length, the subnet.)
struct Masquerade {
  net::Prefix source;
  bool operator==(const Masquerade&) const = default;
};

/// Frames that enter the bridge through this link must carry this source MAC; others are dropped.
struct SpoofGuard {
  std::string link;
  net::Mac mac;
  bool operator==(const SpoofGuard&) const = default;
};

/// Everything one owner (an endpoint) has in the packet filter.
struct Rules {
  std::string owner;    ///< 16 hex digits; every element carries it as its comment
  std::string network;  ///< for people: shown beside the owner in the comment
  std::vector<Masquerade> masquerades = {};
  std::optional<SpoofGuard> spoof_guard = {};

  bool empty() const { return masquerades.empty() && !spoof_guard; }
  bool operator==(const Rules&) const = default;
};

/// What a backend must know about other owners, given by the core: it holds no records itself.
struct Ledger {
  /// The rules of every live owner; asked for only when the tables are gone and must be rebuilt.
  std::function<std::vector<Rules>()> live = {};
  /// Whether this owner is provably dead, so that its element may be replaced.
  std::function<bool(std::string_view owner)> dead = {};
};

/// One packet filter. Each call is one atomic transaction: all of it or nothing.
class Firewall {
 public:
  virtual ~Firewall() = default;
  virtual std::string_view name() const = 0;  ///< "nftables"

  /// Adds the rules. Tables that are missing or of an older schema are rebuilt with those of all
  /// live owners.
  /// @throws Error kInUse when an element belongs to another live owner, naming it; kKernel
  virtual void Add(const Rules& rules) = 0;
  /// Removes exactly these; what is absent is fine. Closing the backend afterwards may wait for an
  /// RCU grace period in the kernel: keep it open over other such waits (design.md §2, DEL).
  virtual void Remove(const Rules& rules) = 0;
  /// Removes whatever carries this owner, by a dump: only when no record says what it had. @returns
  /// how many elements
  virtual size_t RemoveByOwner(std::string_view owner) = 0;
  /// @throws Error kKernel naming the first rule that is missing
  virtual void Verify(const Rules& rules) = 0;
  /// Deletes and rebuilds everything of ours from these.
  virtual void Rebuild(std::span<const Rules> live) = 0;
};

}  // namespace cnm::firewall
