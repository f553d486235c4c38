// backup.h: what a link and its sandbox were before they were tuned.
//
// The file is the reference's (TU-5), so that its DEL restores what our ADD changed and the other
// way round; what it does not know stands under one key, "cnm", which it passes over.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/netlink/link.h"
#include "common/netns/netns.h"

namespace cnm::tuning {

/// A sysctl's former value; "" = it had none that could be read, so there is nothing to restore.
struct FormerSysctl {
  std::string path;  ///< "net/core/somaxconn"
  std::string value;
  bool operator==(const FormerSysctl&) const = default;
};

/// Which link in which sandbox was tuned: a backup left over by a former one must not be applied to
/// another.
struct Subject {
  netns::Identity sandbox;
  int ifindex = 0;  ///< 0 = there was no link, only sysctls were asked for
  bool operator==(const Subject&) const = default;
};

struct Backup {
  std::optional<Subject> subject;  ///< absent in a file the reference wrote
  netlink::LinkChange link;        ///< the former values of what was changed
  std::vector<FormerSysctl> sysctls;

  /// Adds from `later` what is not here yet: of two ADDs the first saw the original.
  void Complete(const Backup& later);
  bool operator==(const Backup&) const = default;
};

/// `<data_dir>/<container_id>_<ifname>.json`, and behind it the temporary file that a process
/// killed in WriteFileAtomic leaves beside it.
std::vector<std::string> BackupFiles(std::string_view data_dir, std::string_view container_id,
                                     std::string_view ifname);

std::string Encode(const Backup& backup);
/// @throws Error kDecode, kConfig
Backup DecodeBackup(std::string_view text);

}  // namespace cnm::tuning
