// socket.h: a conversation with the kernel's rtnetlink in one network namespace.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "common/netlink/address.h"
#include "common/netlink/link.h"
#include "common/netlink/request.h"
#include "common/netlink/route.h"

namespace cnm::netlink {

class Channel;

/// A NETLINK_ROUTE socket. It belongs to the netns it was opened in for ever: hold one per netns.
/// Extended acks and strict checking are on. Dumps interrupted by a change (NLM_F_DUMP_INTR) are
/// repeated. No caches: every question is one request.
class Socket {
 public:
  /// @throws Error kKernel "open netlink socket: reason"
  static Socket Open();
  Socket(Socket&&) noexcept;
  Socket& operator=(Socket&&) noexcept;
  ~Socket();

  /// Sends the requests in one sendmsg and reads their acks.
  /// @returns for each 0 or the tolerated errno
  /// @throws Error kKernel of the first failure, after all acks came; earlier and later requests
  /// may have been carried out
  std::vector<int> Execute(std::span<const Request> requests);
  int Execute(const Request& request);

  /// nullopt if there is none. By name (≤ 15 bytes) or ifindex.
  std::optional<Link> FindLink(std::string_view name);
  std::optional<Link> FindLink(int ifindex);
  /// @throws Error kKernel "find link NAME: Link not found" (the reference's words)
  Link GetLink(std::string_view name);
  /// Every link of the netns: only for diagnosis and recovery, never on ADD.
  std::vector<Link> Links();

  /// The addresses of one link, both families or one; filtered in the kernel (strict checking), so
  /// the cost does not grow with the host.
  std::vector<LinkAddress> Addresses(int ifindex, std::optional<net::Family> family = {});
  /// The unicast routes through one link (0 = any link) in one table (0 = all tables), filtered in
  /// the kernel where it can.
  std::vector<Route> Routes(int ifindex, net::Family family, uint32_t table = 254);
  /// The unicast route that a packet of this host to the address takes, with policy routing; of
  /// several nexthops the first. nullopt when there is none, or when the address is our own.
  std::optional<Route> FindRoute(const net::Address& destination);
  /// The VLAN ids of a bridge port.
  std::vector<BridgeVlan> BridgeVlans(int ifindex);

  /// Waits until the link satisfies `done`, woken by the kernel's notifications, not by a clock,
  /// and by the descriptor `wake` once it can be read (-1 = none).
  /// @returns false at the deadline, or at once when the link is gone
  bool WaitForLink(int ifindex, const std::function<bool(const Link&)>& done,
                   std::chrono::milliseconds deadline, int wake = -1);
  /// As WaitForLink, for the link's IPv6 addresses (duplicate address detection).
  bool WaitForAddresses(int ifindex,
                        const std::function<bool(const std::vector<LinkAddress>&)>& done,
                        std::chrono::milliseconds deadline);

  /// What it talks over: for the other questions of this folder (qdisc.h, filter.h, netns_id.h).
  Channel& channel();

 private:
  struct State;
  explicit Socket(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace cnm::netlink
