// qdisc.h: queueing disciplines and their classes as values, and the requests that change them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/netlink/request.h"
#include "common/netlink/socket.h"

namespace cnm::netlink {

/// "1:2" of tc: which qdisc (major) and which of its classes (minor; 0 = the qdisc itself).
constexpr uint32_t MakeHandle(uint16_t major, uint16_t minor) {
  return (uint32_t{major} << 16) | minor;
}

/// Where a qdisc hangs that is no class's (linux/pkt_sched.h).
constexpr uint32_t kRootParent = 0xFFFFFFFF;     ///< TC_H_ROOT: what leaves the link
constexpr uint32_t kIngressParent = 0xFFFFFFF1;  ///< TC_H_INGRESS: what arrives
constexpr uint32_t kIngressHandle = MakeHandle(0xFFFF, 0);

/// A token bucket: a tbf's numbers, or an htb class's (where `limit` is not known).
struct TokenBucket {
  uint64_t rate = 0;    ///< bytes a second
  uint32_t buffer = 0;  ///< how long a full bucket lasts at that rate, in ticks of 64 ns
  uint32_t limit = 0;   ///< bytes that may wait
  bool operator==(const TokenBucket&) const = default;
};

/// A qdisc of the kinds we make. Members of other kinds stay at their defaults; of a qdisc of an
/// unknown kind only the first four are told.
struct Qdisc {
  int ifindex = 0;
  std::string kind = {};  ///< "tbf", "htb", "bfifo", "ingress", "clsact"
  uint32_t parent = kRootParent;
  uint32_t handle = 0;
  TokenBucket bucket = {};     ///< of a tbf
  uint16_t default_class = 0;  ///< of an htb: minor number; 0 = unclassified packets do not wait
  uint32_t limit = 0;          ///< of a bfifo: bytes that may wait
  bool operator==(const Qdisc&) const = default;
};
/// Fails with EEXIST when there is one already.
Request AddQdisc(const Qdisc& qdisc);
/// With its classes and filters. Tolerated: there is none, or one of another handle.
Request RemoveQdisc(const Qdisc& qdisc);
/// The qdisc at this parent; nullopt if there is none but the kernel's default.
std::optional<Qdisc> FindQdisc(Socket& socket, int ifindex, uint32_t parent);

/// A class of an htb, its rate also its ceiling.
struct TrafficClass {
  int ifindex = 0;
  uint32_t parent = 0;  ///< the htb's handle
  uint32_t handle = 0;
  TokenBucket bucket = {};
  bool operator==(const TrafficClass&) const = default;
};
/// Fails with EEXIST when there is one already.
Request AddClass(const TrafficClass& traffic_class);
std::optional<TrafficClass> FindClass(Socket& socket, int ifindex, uint32_t handle);

}  // namespace cnm::netlink
