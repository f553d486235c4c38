// lease_directory.h: the addresses of one network that are taken: one file each, in the reference
// host-local's format.
//
// Theory of operation: the address files decide, and nothing else. A file is named by its address
// and holds `<container id>\r\n<ifname>`; it appears by an atomic, exclusive rename, so neither we
// nor the reference can take an address twice. Beside the files, names that begin with `.cnm-`
// speed things up and make crashes harmless:
//   .cnm-<owner>.<n>  symlink `<boot>/<inode>.<mtime>/<address>`, written before the address
//   file: the intent. An owner's leases are
//                     found by it without reading the directory; a leftover of a killed call is
//                     recognised by it; a lease made or first seen in an earlier boot, by this very
//                     file, is dead, because no network namespace survives a boot.
//   .cnm-hints        which addresses are free, as bit sequences, and what the directory looked
//   like then (its mtime and every
//                     last_reserved_ip.N). Looks different: the directory is read once, foreign
//                     leases get their symlink, and the hints are made anew. Wrong hints cost time,
//                     never an address.
//   .cnm-new          the file that is about to become an address file.
// Every method locks the directory (`lock`, flock, shared with the reference) for its duration, but
// runs no callback under the lock.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/net/prefix.h"
#include "ipam/host_local/range.h"

namespace cnm::host_local {

/// Who holds a lease. Files of very old releases have no ifname ("").
struct Owner {
  std::string container_id;
  std::string ifname;
  bool operator==(const Owner&) const = default;
};

/// The container id of leases that belong to no container (a gateway, an auxiliary address, one
/// made through the API); the ifname tells them apart. They may take a gateway's or excluded
/// address, and are never reclaimed or collected.
inline constexpr char kReservedId[] = "cnm:reserved";

struct Lease {
  net::Address address;
  Owner owner;           ///< both "" when the file does not read as a lease: held, by nobody known
  std::string boot_id;   ///< start of the id of the boot it was made or first seen in; "-" = never
                         ///< reclaimed by boot; "" = not seen yet
  int64_t since_ns = 0;  ///< the file's modification time, ns since 1970
  uint64_t inode = 0;    ///< of the file
  bool operator==(const Lease&) const = default;
};

/// What is known of a lease's holder. Dead needs proof.
enum class Life { kUnknown, kAlive, kDead };

/// Where leases are kept, and how their owners are named.
struct LeasePlace {
  std::string data_dir;
  std::string network;  ///< one path component
  std::function<std::string(const Owner&)>
      hash;             ///< an owner's 16 hex digits, the same in every process
  std::string boot_id;  ///< "" = the kernel's
};

/// One address wanted from one range set.
struct Want {
  const RangeSet* set = nullptr;
  std::optional<net::Address> requested;  ///< lies in the set; nullopt = any
  std::optional<uint32_t> cursor = {};    ///< N of its last_reserved_ip.N; nullopt = its index
};

struct Allocation {
  net::Prefix prefix;    ///< the address with its subnet's length
  net::Address gateway;  ///< of its range
};

class LeaseDirectory {
 public:
  /// Touches nothing yet. @throws Error kConfig when the network's name cannot be a directory's
  explicit LeaseDirectory(LeasePlace place);

  /// One address for each want, or none at all: the index of a want is its N in last_reserved_ip.N.
  /// Creates the directory. `life` is asked only to explain an exhausted set.
  /// @throws Error kExhausted "failed to allocate for range 0: no IP addresses available in range
  /// set: ..."; kInUse a requested address is held; kExists the owner has one already; kConfig it
  /// is the gateway or excluded; kIo with the path; kTryAgain the lock
  std::vector<Allocation> Allocate(const Owner& owner, std::span<const Want> wants,
                                   const std::function<Life(const Lease&)>& life = nullptr);

  /// Gives up all the owner holds; files that name only the container id if there is nothing else.
  /// Unknown owners hold nothing.
  /// @returns what was released. @throws Error kIo; kTryAgain
  std::vector<net::Address> Release(const Owner& owner);

  /// Makes the lease of `address` that `from` holds `to`'s; it is never free in between.
  /// @returns false, having changed nothing, when `from` does not hold it. @throws Error kConfig an
  /// owner that cannot be written; kIo; kTryAgain
  bool Transfer(const net::Address& address, const Owner& from, const Owner& to);

  /// Takes one address that belongs to no container: its lease is held by {kReservedId,
  /// "<purpose>:<address>"}. One that is held so already is given again. An address that is asked
  /// for does not move the round robin.
  /// @throws as Allocate, but never kExists
  Allocation Reserve(const std::string& purpose, const Want& want);

  /// The lease of this address, without boot_id. Changes nothing.
  std::optional<Lease> Find(const net::Address& address) const;

  /// Gives up the one address if exactly `owner` holds it. @returns whether it did. @throws Error
  /// kIo; kTryAgain
  bool ReleaseAddress(const net::Address& address, const Owner& owner);

  /// Whether the owner holds an address (CHECK).
  /// @throws Error kNotFound "host-local: Failed to find address added by container ID"
  void CheckHeld(const Owner& owner) const;

  /// How many addresses could still be allocated from each set (STATUS); at most kMaxOrdinals.
  /// Changes nothing.
  std::vector<uint32_t> CountFree(std::span<const RangeSet> sets) const;

  /// All leases, ordered by address. Changes nothing.
  std::vector<Lease> List() const;

  /// Releases every lease `is_garbage` says so of; asked without the lock, and of neither reserved
  /// nor unreadable ones. A lease that changes hands meanwhile is kept. @returns what was released
  std::vector<Lease> Collect(const std::function<bool(const Lease&)>& is_garbage);

 private:
  LeasePlace place_;
  std::string path_;
};

}  // namespace cnm::host_local
