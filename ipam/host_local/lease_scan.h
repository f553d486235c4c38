// lease_scan.h: reading a whole lease directory, and putting it in order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ipam/host_local/lease_directory.h"
#include "ipam/host_local/lease_files.h"
#include "ipam/host_local/lease_text.h"

namespace cnm::host_local {

/// An owner's symlink.
struct ScannedLink {
  std::string name;
  std::string owner_hash;
  uint32_t index = 0;
  LinkTarget target;
  bool used = false;  ///< it tells of a file that is there
};

/// An address file.
struct ScannedLease {
  net::Address address;
  FileState file;  ///< bytes only when `read`
  bool read = false;
  std::optional<size_t> link;  ///< index of its symlink in Scan::links
  std::string
      owner_hash;  ///< the symlink's, or after Repair of what the file says; "" = nobody known
};

struct Scan {
  std::vector<ScannedLease> leases;
  std::vector<ScannedLink> links;
  std::vector<std::string> debris;  ///< names of ours that mean nothing any more
  std::vector<uint32_t> cursors;    ///< which last_reserved_ip.N there are
  bool complete = true;             ///< after Repair: every lease with an owner has its symlink
  uint32_t link_indexes = 0;        ///< after Repair
  bool has_nameless = false;        ///< after Repair
};

/// Reads the directory. Files older than `trusted_ns` whose symlink fits are not opened. Changes
/// nothing.
Scan ScanDirectory(const LeaseFiles& files, int64_t trusted_ns);

/// Whether nobody can hold the lease any more: its symlink names an earlier boot and this very
/// file, or the file is empty and older than the boot (its writer died, or the power went, before
/// it said for whom). Reserved leases, never. Reads the file if it must.
bool IsReclaimable(const LeaseFiles& files, Scan& scan, ScannedLease& lease,
                   const std::string& boot_id);

/// Removes debris, dangling symlinks and reclaimable leases, and gives every other lease with a
/// readable owner a symlink. A disk that is full makes the scan incomplete, but stops nothing.
void Repair(const LeaseFiles& files, const LeasePlace& place, const std::string& boot_id,
            Scan& scan);

/// The scanned lease as List shows it. Reads the file if that was not done.
Lease ToLease(const LeaseFiles& files, const Scan& scan, ScannedLease& lease);

}  // namespace cnm::host_local
