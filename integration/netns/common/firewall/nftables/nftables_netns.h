// nftables_netns.h: what the tests of the nftables backend share.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/firewall/nftables/nftables.h"
#include "common/net/prefix.h"
#include "integration/support/fresh_netns.h"

namespace cnm::firewall {

inline constexpr const char* kOwnerA = "aaaaaaaaaaaaaaaa";
inline constexpr const char* kOwnerB = "bbbbbbbbbbbbbbbb";
inline constexpr const char* kOwnerC = "cccccccccccccccc";
inline const net::Mac kMac{{0x02, 0, 0, 0, 0, 1}};

inline net::Prefix Cidr(std::string_view text) {
  return net::Prefix::Parse(text).value();
}

inline Rules Masquerading(const char* owner, std::initializer_list<const char*> sources) {
  Rules rules{.owner = owner, .network = "blue"};
  for (const char* source : sources) rules.masquerades.push_back({Cidr(source)});
  return rules;
}

/// What a caller gets: the code's number and the message, or "".
inline std::string ErrorOf(const std::function<void()>& work, Code* code = nullptr) {
  try {
    work();
  } catch (const Error& error) {
    if (code != nullptr) *code = error.code();
    return error.message();
  }
  return "";
}

/// The elements of a set as "address owner", as nft -j tells.
inline std::string Elements(const std::string& set) {
  return testing::Shell("nft -j list set " + set +
                        " | jq -r '.nftables[].set.elem[]? | select(. != null) | .elem | [(.val | "
                        "tostring), .comment] | join(\" \")' "
                        "| sort");
}

class NftablesNetns : public testing::NetnsTest {
 protected:
  /// One who holds owner A for dead, and who lets B take A's place just before it says so.
  std::unique_ptr<Firewall> MakeLate(const Rules& of_b) {
    return MakeNftables({.dead = [this, of_b](std::string_view owner) {
      if (owner == kOwnerA) {
        dead_ = kOwnerA;
        Make()->Add(of_b);
      }
      return owner == kOwnerA;
    }});
  }
  std::unique_ptr<Firewall> Make() {
    return MakeNftables({.live =
                             [this](std::string_view) {
                               ++ledger_reads_;
                               return live_;
                             },
                         .dead = [this](std::string_view owner) { return owner == dead_; }});
  }
  /// Rebuilds as of a ledger that tells these.
  static void Rebuild(const std::vector<Rules>& live) {
    MakeNftables({.live = [&](std::string_view) { return live; }})->Rebuild();
  }
  std::vector<Rules> live_;
  std::string dead_ = "none";
  int ledger_reads_ = 0;
};

/// A mapping of one port of all addresses to a container's.
inline PortMapping Publish(uint16_t port, const char* target, uint16_t target_port) {
  return {.host_port = port, .target_port = target_port, .target = Cidr(target)};
}

/// The same, of this address of the host.
inline PortMapping At(const char* host, PortMapping mapping) {
  mapping.host_address = net::Address::Parse(host);
  return mapping;
}

inline Rules Publishing(const char* owner, std::vector<PortMapping> mappings) {
  Rules rules{.owner = owner, .network = "blue"};
  rules.publication.mappings = std::move(mappings);
  return rules;
}

/// The lines of a listing of `inet cnm` that match, without their indentation.
inline std::string Lines(const std::string& pattern) {
  return testing::Shell("nft list table inet cnm | grep -E '" + pattern +
                        "' | sed 's/^[\t ]*//' || true");
}

}  // namespace cnm::firewall
