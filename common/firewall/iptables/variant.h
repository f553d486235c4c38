// variant.h: the two packet filters that programs named iptables change: nf_tables (the nft
// variant) and the kernel's older own (legacy). Internal to this folder.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/firewall/iptables/script.h"
#include "common/netlink/channel.h"

namespace cnm::firewall::iptables {

/// A rule of ours, or one that jumps to a chain of ours, where it stands.
struct Standing {
  net::Family family = net::Family::kIpv4;
  std::string table;
  std::string chain;
  Rule rule;
};

/// Called when there is something to be undone, in this family's tables.
using Changed = std::function<void(net::Family)>;

/// One of the two.
class Variant {
 public:
  virtual ~Variant() = default;

  /// Carries out the scripts, each family's in one transaction for each table. What is as wanted
  /// already is left alone; nothing is run and nothing sent when all of it is.
  /// @throws Error kInUse naming who publishes a claimed port; kUnavailable when a program is
  /// missing; kTryAgain naming who holds the lock; kKernel. `changed` is called before it fails
  /// with some of it done
  virtual void Apply(const std::vector<Script>& scripts, const Changed& changed) = 0;
  void Apply(const std::vector<Script>& scripts) {
    Apply(scripts, [](net::Family) {});
  }
  /// The first thing that Apply would change; nullopt if there is none. Claims do not count.
  virtual std::optional<std::string> FindMissing(const std::vector<Script>& scripts) = 0;
  virtual std::vector<Standing> List() = 0;
  /// @throws Error kUnavailable when a program that Apply needs is missing
  virtual void RequirePrograms() = 0;
};

/// The variant that the host uses; nullptr when it has neither. Finding out runs nothing: nf_tables
/// has tables "filter" or "nat" of IP → nft; else /proc/net/ip{,6}_tables_names names any → legacy;
/// else what the program iptables is.
std::unique_ptr<Variant> FindVariant();
/// The same. @throws Error kUnavailable when it has neither
std::unique_ptr<Variant> OpenVariant();

std::unique_ptr<Variant> MakeNftVariant();
std::unique_ptr<Variant> MakeLegacyVariant();

/// Whether nf_tables has any table of iptables.
bool UsesNft(netlink::Channel& netfilter);
/// Whether the older packet filter has any.
bool UsesLegacy();

/// Whether FORWARD drops what no rule accepts, or Docker's chains are there; either family. One
/// that is not in use drops nothing.
bool NftMayDrop(netlink::Channel& netfilter);
bool LegacyMayDrop();

/// Whether the older packet filter has this table in use, without making it so.
bool HasLegacyTable(net::Family family, std::string_view table);

}  // namespace cnm::firewall::iptables
