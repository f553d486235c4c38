// sysctl_name.h: the name of a sysctl of the network namespace, however it was spelled.
#pragma once

#include <string>
#include <string_view>

namespace cnm::tuning {

/// A sysctl below net/. Two spellings of the same sysctl give equal names, so whoever judges a name
/// cannot be misled by its spelling.
class SysctlName {
 public:
  /// Reads a key as sysctl(8) does: the first '.' or '/' is the separator; behind a first '.', '/'
  /// stands for a dot inside a component ("net.ipv4.conf.eth0/100.rp_filter"), behind a first '/' a
  /// dot is a dot. A component IFNAME becomes `ifname`.
  /// @throws Error kConfig `invalid net sysctl key: "x"`: not below net/, or an empty component,
  /// ".", "..", white space or a control character in it; `Interface name (x) contains an invalid
  /// character /` (reference TU-2, TU-3)
  static SysctlName Parse(std::string_view key, std::string_view ifname);

  /// "net/ipv4/conf/eth0.100/rp_filter": what is below /proc/sys.
  const std::string& path() const { return path_; }

  /// The path with IFNAME in place of `ifname` where the interface of conf/ and neigh/ stands;
  /// unchanged elsewhere. Never for "all" and "default", which are more than one interface.
  std::string Generalized(std::string_view ifname) const;

  bool operator==(const SysctlName&) const = default;

 private:
  explicit SysctlName(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

/// "net/ipv4/conf/eth0.100/rp_filter" as "net.ipv4.conf.eth0/100.rp_filter", and back.
std::string SwapSeparators(std::string_view path);

}  // namespace cnm::tuning
