// tune.h: changing a link and its sandbox's sysctls, putting them back, and comparing them. The
// calling thread is in the sandbox.
#pragma once

#include <string>

#include "common/base/rollback.h"
#include "plugins/meta/tuning/backup.h"
#include "plugins/meta/tuning/config.h"

namespace cnm::tuning {

/// What is tuned, and where its backup goes.
struct Target {
  std::string ifname;
  netns::Identity sandbox;
  std::string backup_path;
};

/// Writes the backup, then sets the sysctls in order, then the link in one request; an undo step
/// for each. A backup that is there already keeps what it says.
/// @throws Error kNotFound, kKernel, kIo; before the first change if a link or a sysctl is missing
void Tune(const Config& config, const Target& target, Rollback& undo);

/// Puts back what `backup` says, in reverse; nothing when the link is gone or another one.
/// @throws Error of the first failure, after everything else was tried
void Restore(const Backup& backup, const std::string& ifname, const netns::Identity& sandbox);

/// Compares everything the configuration gives with the kernel. @throws Error kKernel naming the
/// first difference in the reference's words (TU-7)
void Verify(const Config& config, const std::string& ifname);

}  // namespace cnm::tuning
