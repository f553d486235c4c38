// sandbox_files.h: the hosts and resolv.conf of a sandbox, which its container mounts.
#pragma once

#include <string>
#include <vector>

#include "cnm/engine/engine.h"
#include "cnm/engine/records.h"
#include "cnm/sandbox/etc_hosts.h"

namespace cnm::engine {

/// Where they are.
struct SandboxFiles {
  std::string directory;  ///< ours; removed with the sandbox
  std::string hosts;
  std::string resolv_conf;
};
SandboxFiles FilesOf(const std::string& files_directory, const SandboxRecord& sandbox);

/// Who is in a hosts file.
struct HostNames {
  std::vector<etc_hosts::Record> self;    ///< the container's own lines, the first one on top
  std::vector<etc_hosts::Record> others;  ///< extra hosts, then endpoints on its networks
  bool operator==(const HostNames&) const = default;
};

/// Makes both files: copies of the origins, if the sandbox has them, which are never changed then.
/// @throws Error kConfig for names and addresses that are none; kIo
void CreateFiles(const SandboxFiles& files, const SandboxSpec& spec, const HostNames& names);

/// Leads the hosts file from `before` to `after`: a file that nobody else changed is written anew,
/// in another one only those lines change. A missing file stays so.
void UpdateHosts(const SandboxFiles& files, const HostNames& before, const HostNames& after);

/// The lines of the hosts file that have an address, as far as they can be read.
std::vector<etc_hosts::Record> ReadRecords(const SandboxFiles& files);

/// Filters the resolver settings for a sandbox with or without IPv6. Not when the user gave some,
/// and not in a file that was edited.
void UpdateResolvConf(const SandboxFiles& files, const SandboxSpec& spec, bool ipv6);

/// Removes what CreateFiles made; files at paths that the caller chose stay his.
void RemoveFiles(const SandboxFiles& files, const SandboxSpec& spec);

/// The spec's extra hosts. @throws Error kConfig "invalid address of host NAME: X"
std::vector<etc_hosts::Record> ExtraRecords(const SandboxSpec& spec);

}  // namespace cnm::engine
