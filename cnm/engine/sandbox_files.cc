// sandbox_files.cc: the hosts and resolv.conf of a sandbox.
#include "cnm/engine/sandbox_files.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "cnm/sandbox/mounted_file.h"
#include "cnm/sandbox/resolv_conf.h"
#include "common/base/error.h"

namespace cnm::engine {
namespace {

using etc_hosts::Record;

/// All lines below the container's own first one.
std::vector<Record> Rest(const HostNames& names) {
  std::vector<Record> rest;
  rest.reserve(names.self.size() + names.others.size());
  if (!names.self.empty()) rest.assign(names.self.begin() + 1, names.self.end());
  rest.insert(rest.end(), names.others.begin(), names.others.end());
  return rest;
}

std::string TextOf(const HostNames& names) {
  std::optional<Record> first;
  if (!names.self.empty()) first = names.self.front();
  return etc_hosts::Build(first, Rest(names));
}

std::vector<Record> AllOf(const HostNames& names) {
  std::vector<Record> all = names.self;
  all.insert(all.end(), names.others.begin(), names.others.end());
  return all;
}

/// What is in `from` and not in `without`.
std::vector<Record> Missing(const std::vector<Record>& from, const std::vector<Record>& without) {
  std::vector<Record> missing;
  std::copy_if(from.begin(), from.end(), std::back_inserter(missing), [&](const Record& record) {
    return std::find(without.begin(), without.end(), record) == without.end();
  });
  return missing;
}

/// Empty lines at the end do not count: a file written in place may have some.
std::string_view Trimmed(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

bool HasUserSettings(const SandboxSpec& spec) {
  return !spec.dns.empty() || !spec.dns_search.empty() || !spec.dns_options.empty();
}

std::string FilteredHost(bool ipv6) {
  return resolv_conf::FilterNameservers(
      resolv_conf::ReadHost(), {.ipv6 = ipv6, .fallback = resolv_conf::PublicNameservers(ipv6)});
}

std::string ResolvText(const SandboxSpec& spec) {
  // Which networks it will join is not known yet, so IPv6 servers stay for now.
  std::string host = FilteredHost(true);
  if (!HasUserSettings(spec)) return host;
  return resolv_conf::Build(resolv_conf::Complete(
      {.nameservers = spec.dns, .search = spec.dns_search, .options = spec.dns_options},
      resolv_conf::Parse(host)));
}

}  // namespace

SandboxFiles FilesOf(const std::string& files_directory, const SandboxRecord& sandbox) {
  SandboxFiles files;
  files.directory = fmt::format("{}/{}", files_directory, sandbox.id);
  files.hosts = sandbox.spec.hosts_path.empty() ? fmt::format("{}/hosts", files.directory)
                                                : sandbox.spec.hosts_path;
  files.resolv_conf = sandbox.spec.resolv_conf_path.empty()
                          ? fmt::format("{}/resolv.conf", files.directory)
                          : sandbox.spec.resolv_conf_path;
  return files;
}

std::vector<Record> ExtraRecords(const SandboxSpec& spec) {
  std::vector<Record> records;
  records.reserve(spec.extra_hosts.size());
  for (const ExtraHost& host : spec.extra_hosts) {
    const auto address = net::Address::Parse(host.address);
    if (!address) {
      throw Error(Code::kConfig,
                  fmt::format("invalid address of host {}: {}", host.name, host.address));
    }
    records.push_back({*address, host.name});
  }
  return records;
}

void CreateFiles(const SandboxFiles& files, const SandboxSpec& spec, const HostNames& names) {
  if (!spec.origin_hosts_path.empty()) {
    etc_hosts::CopyFile(spec.origin_hosts_path, files.hosts);
  } else {
    std::optional<Record> first;
    if (!names.self.empty()) first = names.self.front();
    etc_hosts::WriteFile(files.hosts, first, Rest(names));
  }
  if (!spec.origin_resolv_conf_path.empty()) {
    resolv_conf::CopyFile(spec.origin_resolv_conf_path, files.resolv_conf);
  } else {
    resolv_conf::WriteFile(files.resolv_conf, ResolvText(spec));
  }
}

void UpdateHosts(const SandboxFiles& files, const HostNames& before, const HostNames& after) {
  if (before == after || !MountedFile::Exists(files.hosts)) return;
  MountedFile file(files.hosts);
  const auto text = file.Read();
  if (!text) return;
  if (Trimmed(*text) == Trimmed(TextOf(before))) {
    file.Write(TextOf(after));
    return;
  }
  const std::vector<Record> old_lines = AllOf(before);
  const std::vector<Record> new_lines = AllOf(after);
  file.Write(etc_hosts::Add(etc_hosts::Remove(*text, Missing(old_lines, new_lines)),
                            Missing(new_lines, old_lines)));
}

std::vector<Record> ReadRecords(const SandboxFiles& files) {
  std::vector<Record> records;
  if (!MountedFile::Exists(files.hosts)) return records;
  const std::string text = MountedFile(files.hosts).Read().value_or("");
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const size_t blank = line.find_first_of(" \t");
    if (blank == std::string_view::npos) continue;
    const auto address = net::Address::Parse(line.substr(0, blank));
    const size_t names = line.find_first_not_of(" \t", blank);
    if (!address || names == std::string_view::npos) continue;
    records.push_back({*address, std::string(line.substr(names))});
  }
  return records;
}

void UpdateResolvConf(const SandboxFiles& files, const SandboxSpec& spec, bool ipv6) {
  if (HasUserSettings(spec) || !spec.origin_resolv_conf_path.empty()) return;
  resolv_conf::UpdateFile(files.resolv_conf, FilteredHost(ipv6));
}

void RemoveFiles(const SandboxFiles& files, const SandboxSpec& spec) {
  if (spec.hosts_path.empty()) MountedFile::Remove(files.hosts);
  if (spec.resolv_conf_path.empty()) resolv_conf::RemoveFile(files.resolv_conf);
  // With whatever a killed writer left in it.
  std::error_code failure;
  std::filesystem::remove_all(files.directory, failure);
  if (failure)
    throw SystemError(Code::kIo, fmt::format("remove {}", files.directory), failure.value());
}

}  // namespace cnm::engine
