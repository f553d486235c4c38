// iptables_netns.h: what the tests of the iptables backend share.
#pragma once

#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "common/firewall/iptables/iptables.h"
#include "integration/support/fresh_netns.h"

namespace cnm::firewall {

using testing::OtherNetns;
using testing::Shell;
using testing::Succeeds;

inline net::Prefix Cidr(std::string_view text) {
  return net::Prefix::Parse(text).value();
}

inline net::Address Ip(std::string_view text) {
  return net::Address::Parse(text).value();
}

inline PortMapping Map(Protocol protocol, uint16_t host_port, uint16_t target_port,
                       std::string_view target = "192.0.2.5/24") {
  return {.protocol = protocol,
          .host_port = host_port,
          .target_port = target_port,
          .target = Cidr(target)};
}

/// What a caller gets: the message, or "".
inline std::string ErrorOf(const std::function<void()>& work, Code* code = nullptr) {
  try {
    work();
  } catch (const Error& error) {
    if (code != nullptr) *code = error.code();
    return error.message();
  }
  return "";
}

/// Both variants; the parameter is the word in its programs' names.
class IptablesNetns : public testing::NetnsTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    // The host's iptables is what the name "iptables" in PATH leads to.
    ASSERT_EQ(::mount("none", "/mnt", "tmpfs", 0, nullptr), 0);
    for (const char* const program : {"iptables", "ip6tables"}) {
      for (const char* const suffix : {"", "-save", "-restore"}) {
        Shell(fmt::format("ln -s /usr/sbin/{0}-{1}{2} /mnt/{0}{2}", program, GetParam(), suffix));
      }
    }
    ::setenv("PATH", "/mnt:/usr/sbin:/usr/bin:/sbin:/bin", 1);
    ASSERT_EQ(::mount("none", "/run", "tmpfs", 0, nullptr), 0);
  }

  /// The rules of a table, without comments of iptables-save and counters.
  static std::string Save(std::string_view family = "", std::string_view table = "nat") {
    return Shell(
        fmt::format("ip{}tables-save -t {} | grep -v '^#' | sed 's/ \\[.*//' | grep -v '^[*C]'",
                    family, table));
  }
  /// Everything of ours in all tables of both families.
  static std::string OursLeft(std::string_view pattern) {
    return Shell(fmt::format("(iptables-save; ip6tables-save) | grep -- '{}' || true", pattern));
  }
};

inline Rules Owner(std::string_view container_id = "ctr1") {
  return {.owner = "aaaaaaaaaaaaaaaa", .network = "n", .container_id = std::string(container_id)};
}

/// Two ports, one of them of localhost.
inline Rules Publishing(std::string_view container_id = "ctr1") {
  Rules rules = Owner(container_id);
  rules.publication.mappings = {Map(Protocol::kTcp, 8081, 80), Map(Protocol::kUdp, 53, 5353)};
  rules.publication.mappings[1].host_address = Ip("127.0.0.1");
  return rules;
}

}  // namespace cnm::firewall
