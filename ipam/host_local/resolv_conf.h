// resolv_conf.h: reads resolver settings in the form of resolv.conf(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cnm::host_local {

struct ResolvConf {
  std::vector<std::string> nameservers;
  std::string domain;
  std::vector<std::string> search;
  std::vector<std::string> options;
  bool operator==(const ResolvConf&) const = default;
};

/// Lines that begin with '#' or ';' and unknown keywords are skipped; lists add up; the last domain
/// wins.
ResolvConf ParseResolvConf(std::string_view text);
/// @throws Error kIo "read PATH: reason", also when there is none
ResolvConf ReadResolvConf(const std::string& path);

}  // namespace cnm::host_local
