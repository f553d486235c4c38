// lease_site.h: what the tests of lease directories share.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/error.h"
#include "ipam/host_local/lease_directory.h"
#include "ipam/host_local/range.h"

namespace cnm::host_local {

namespace fs = std::filesystem;

inline constexpr char kBootA[] = "aaaaaaaa-0000-4000-8000-000000000001";
inline constexpr char kBootB[] = "bbbbbbbb-0000-4000-8000-000000000002";

inline net::Address Ip(std::string_view text) {
  return net::Address::Parse(text).value();
}

inline Range MakeRange(std::string_view subnet, std::string_view first, std::string_view last) {
  Range range;
  range.subnet = net::Prefix::Parse(subnet).value();
  range.first = Ip(first);
  range.last = Ip(last);
  range.gateway = range.subnet.address.Next();
  return range;
}

inline RangeSet SmallSet() {
  return {{MakeRange("192.0.2.0/24", "192.0.2.1", "192.0.2.6")}, {}};
}
inline RangeSet Ipv6Set() {
  return {{MakeRange("2001:db8::/64", "2001:db8::1", "2001:db8::ffff")}, {}};
}

/// Sixteen hex digits that differ for different owners; which they are does not matter here.
inline std::string HashOf(const Owner& owner) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : owner.container_id + '\0' + owner.ifname) {
    hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3U;
  }
  std::ostringstream text;
  text << std::hex << (hash | uint64_t{1} << 63U);
  return text.str();
}

class LeaseDirectoryTest : public testing::Test {
 protected:
  LeaseDirectoryTest() {
    std::string name = fs::temp_directory_path() / "cnm-leases-XXXXXX";
    root_ = ::mkdtemp(name.data());
    path_ = root_ / "net";
  }
  ~LeaseDirectoryTest() override { fs::remove_all(root_); }

  LeaseDirectory Open(const char* boot = kBootA) const {
    return LeaseDirectory({root_.string(), "net", HashOf, boot});
  }
  net::Address Take(const Owner& owner, const char* boot = kBootA) const {
    const RangeSet set = SmallSet();
    const std::vector<Want> wants{{&set, {}}};
    return Open(boot).Allocate(owner, wants).at(0).prefix.address;
  }
  net::Address TakeThis(const Owner& owner, std::string_view address) const {
    const RangeSet set = SmallSet();
    const std::vector<Want> wants{{&set, Ip(address)}};
    return Open().Allocate(owner, wants).at(0).prefix.address;
  }
  std::string Content(const std::string& name) const {
    std::ifstream file(path_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// What the reference's ADD leaves.
  void ForeignAdd(const std::string& address, const std::string& content) const {
    fs::create_directories(path_);
    std::ofstream(path_ / address, std::ios::binary) << content;
    std::ofstream(path_ / "last_reserved_ip.0", std::ios::binary) << address;
  }
  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(path_)) names.insert(entry.path().filename());
    return names;
  }
  /// Names of leases and symlinks: what a DEL must take back.
  std::set<std::string> Traces() const {
    std::set<std::string> names = Names();
    std::erase_if(names, [](const std::string& name) {
      return name == "lock" || name == ".cnm-hints" || name.starts_with("last_reserved_ip.");
    });
    return names;
  }
  Error FailureOf(const std::function<void()>& work) const {
    try {
      work();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "no error";
    return Error(Code::kInternal, "");
  }

  fs::path root_;
  fs::path path_;
};

}  // namespace cnm::host_local
