// lease_take.h: one owner's allocation in a locked lease directory.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/rollback.h"
#include "ipam/host_local/lease_directory.h"
#include "ipam/host_local/lease_files.h"
#include "ipam/host_local/lease_index.h"

namespace cnm::host_local {

/// The owner of an address that was taken with Holding::kEach.
Owner EachOwner(const Owner& owner, const net::Address& address);

/// By whom the addresses are held that one LeaseTaker takes.
enum class Holding {
  kTogether,  ///< by the owner, who has none of these sets yet
  kEach,      ///< each by an owner of its own: "<ifname>:<address>" in place of the owner's ifname
};

/// Takes one address for each want. What was taken is given back unless Commit is reached.
class LeaseTaker {
 public:
  LeaseTaker(LeaseFiles& files, LeaseIndex& index, const Owner& owner, std::span<const Want> wants,
             Holding holding = Holding::kTogether);

  /// @returns one address for each want; nullopt when the set of want `exhausted()` has none left
  /// @throws Error kInUse, kExists, kConfig, kIo
  std::optional<std::vector<net::Address>> Take();
  size_t exhausted() const { return current_; }

 private:
  void RefuseDuplicates();
  void RefuseDuplicates(const Owner& owner);
  std::optional<net::Address> TakeOne(const Want& want);
  net::Address TakeRequested(const Want& want);
  std::optional<net::Address> TakeAny();
  bool TryAddress(const net::Address& address);
  void NameAfter(const net::Address& address);
  void Undo(const net::Address& address, const std::string& link);
  [[noreturn]] void FailTaken(const Want& want) const;
  std::string FreeLinkName();
  uint32_t CursorIndex(size_t want) const;

  LeaseFiles& files_;
  LeaseIndex& index_;
  const Owner& owner_;
  std::span<const Want> wants_;
  Holding holding_;
  std::vector<SetShape> shapes_;  ///< of the wants
  std::string hash_;
  std::string content_;                  ///< of the address files
  std::vector<std::string> link_names_;  ///< in use by this owner
  size_t current_ = 0;                   ///< which want is being served
  Rollback undo_;
};

}  // namespace cnm::host_local
