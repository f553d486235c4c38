// without_nftables.h: the local driver on a kernel without nf_tables, whatever this one has.
#pragma once

#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <functional>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "common/firewall/select.h"
#include "integration/netns/cnm/drivers/local/local_site.h"

namespace cnm::local {

/// From here on the calling thread, and what it starts, gets no socket of nfnetlink, as where the
/// kernel has none.
inline void ForbidNfnetlink() {
  const auto load = [](size_t offset) {
    return sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset));
  };
  const auto unless = [](uint32_t value, uint8_t skip) {
    return sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip);
  };
  const auto answer = [](uint32_t action) { return sock_filter BPF_STMT(BPF_RET | BPF_K, action); };
  std::array filter = {load(offsetof(seccomp_data, nr)),
                       unless(SYS_socket, 5),
                       load(offsetof(seccomp_data, args[0])),
                       unless(AF_NETLINK, 3),
                       load(offsetof(seccomp_data, args[2])),
                       unless(NETLINK_NETFILTER, 1),
                       answer(SECCOMP_RET_ERRNO | EPROTONOSUPPORT),
                       answer(SECCOMP_RET_ALLOW)};
  const sock_fprog program{.len = filter.size(), .filter = filter.data()};
  ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

class WithoutNftables : public LocalDriverTest {
 protected:
  void SetUp() override {
    LocalDriverTest::SetUp();
    if (IsSkipped()) return;
    driver_.reset();
    UseIptables("legacy");
  }

  /// On a thread of its own, as the kernel forgets no prohibition.
  void Run(const std::function<void()>& work) {
    std::thread thread([&] {
      ForbidNfnetlink();
      ASSERT_EQ(firewall::DefaultBackend(), "iptables");
      driver_ = Open();
      work();
      driver_.reset();
    });
    thread.join();
    EXPECT_FALSE(Succeeds("nft list ruleset | grep -q ."));
  }

  static bool Saved(const std::string& text) {
    return Succeeds("iptables-save | grep -q -- '" + text + "'");
  }
};

}  // namespace cnm::local
