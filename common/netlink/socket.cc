// socket.cc: a conversation with the kernel's rtnetlink in one network namespace.
#include "common/netlink/socket.h"

#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/netlink/attributes.h"
#include "common/netlink/channel.h"
#include "common/netlink/decode.h"

namespace cnm::netlink {
namespace {

constexpr size_t kLongestName = 127;  // ALTIFNAMSIZ without its zero

/// Statistics and virtual functions are nine tenths of a link's description.
Request MakeLinkQuestion(std::string what, int ifindex) {
  Request request(std::move(what), RTM_GETLINK, 0);
  ifinfomsg header{};
  header.ifi_index = ifindex;
  AppendHeader(request, header);
  PutNumber<uint32_t>(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return std::move(request).Tolerate(ENODEV);
}

/// Notifications of a group (RTNLGRP_*) arrive while it lives.
class News {
 public:
  News(Channel& channel, int group) : channel_(channel), group_(group) {
    Set(NETLINK_ADD_MEMBERSHIP);
  }
  ~News() {
    Set(NETLINK_DROP_MEMBERSHIP);
    channel_.Drain();
  }
  News(const News&) = delete;
  News& operator=(const News&) = delete;

  /// Also until `wake` can be read. @returns false if none came before the deadline
  bool Wait(std::chrono::steady_clock::time_point deadline, int wake) {
    using std::chrono::milliseconds;
    pollfd entries[] = {{channel_.fd(), POLLIN, 0}, {wake, POLLIN, 0}};
    int ready = -1;
    do {
      const auto left = deadline - std::chrono::steady_clock::now();
      // Rounded up: a wait of less than a millisecond must not become a busy loop.
      const auto rounded = std::chrono::ceil<milliseconds>(std::max(left, left.zero())).count();
      ready = ::poll(entries, 2, static_cast<int>(rounded));
    } while (ready < 0 && errno == EINTR);
    channel_.Drain();
    return ready > 0;
  }

 private:
  void Set(int option) {
    (void)::setsockopt(channel_.fd(), SOL_NETLINK, option, &group_, sizeof group_);
  }
  Channel& channel_;
  int group_;
};

}  // namespace

struct Socket::State {
  Channel channel;

  std::optional<Link> Find(const Request& question) {
    std::optional<Link> link;
    channel.Ask(question, [&](const nlmsghdr& message) { link = DecodeLink(message); });
    return link;
  }

  template <class Value>
  std::vector<Value> Dump(const Request& question,
                          void (*decode)(const nlmsghdr&, std::vector<Value>&)) {
    std::vector<Value> values;
    channel.Dump(
        question, [&] { values.clear(); },
        [&](const nlmsghdr& message) { decode(message, values); });
    return values;
  }
};

Socket::Socket(std::unique_ptr<State> state) : state_(std::move(state)) {}
Socket::Socket(Socket&&) noexcept = default;
Socket& Socket::operator=(Socket&&) noexcept = default;
Socket::~Socket() = default;

Socket Socket::Open() {
  return Socket(std::make_unique<State>(State{Channel::Open(NETLINK_ROUTE)}));
}

Channel& Socket::channel() {
  return state_->channel;
}

std::vector<int> Socket::Execute(std::span<const Request> requests) {
  return state_->channel.Execute(requests);
}

int Socket::Execute(const Request& request) {
  return Execute({&request, 1}).front();
}

std::optional<Link> Socket::FindLink(std::string_view name) {
  if (name.empty() || name.size() > kLongestName) return {};
  const Request question = MakeLinkQuestion(fmt::format("find link {}", name), 0);
  PutText(question, name.size() < IFNAMSIZ ? IFLA_IFNAME : IFLA_ALT_IFNAME, name);
  return state_->Find(question);
}

std::optional<Link> Socket::FindLink(int ifindex) {
  return state_->Find(MakeLinkQuestion(fmt::format("find link {}", ifindex), ifindex));
}

Link Socket::GetLink(std::string_view name) {
  std::optional<Link> link = FindLink(name);
  if (!link) throw Error(Code::kKernel, fmt::format("find link {}: Link not found", name));
  return *std::move(link);
}

std::vector<Link> Socket::Links() {
  return state_->Dump<Link>(MakeLinkQuestion("list links", 0),
                            [](const nlmsghdr& message, std::vector<Link>& links) {
                              links.push_back(DecodeLink(message));
                            });
}

std::vector<LinkAddress> Socket::Addresses(int ifindex, std::optional<net::Family> family) {
  Request question(fmt::format("list addresses of link {}", ifindex), RTM_GETADDR, 0);
  ifaddrmsg header{};
  header.ifa_family = family ? static_cast<uint8_t>(*family) : uint8_t{AF_UNSPEC};
  header.ifa_index = static_cast<uint32_t>(ifindex);
  AppendHeader(question, header);
  question.Tolerate(ENODEV);
  std::vector<LinkAddress> addresses = state_->Dump(question, DecodeAddress);
  // A kernel without strict checking (before 4.20) sends those of every link.
  std::erase_if(addresses, [&](const LinkAddress& a) { return a.ifindex != ifindex; });
  return addresses;
}

std::vector<Route> Socket::Routes(int ifindex, net::Family family, uint32_t table) {
  Request question(fmt::format("list routes of link {}", ifindex), RTM_GETROUTE, 0);
  rtmsg header{};
  header.rtm_family = static_cast<uint8_t>(family);
  header.rtm_table = table < 256 ? static_cast<uint8_t>(table) : uint8_t{RT_TABLE_UNSPEC};
  header.rtm_type = RTN_UNICAST;
  AppendHeader(question, header);
  if (ifindex != 0) PutNumber(question, RTA_OIF, ifindex);
  if (table >= 256) PutNumber(question, RTA_TABLE, table);
  // The kernel has no such table yet, or no such link any more.
  question.Tolerate(ENOENT).Tolerate(ENODEV);
  std::vector<Route> routes = state_->Dump(question, DecodeRoute);
  std::erase_if(routes, [&](const Route& route) {
    return (ifindex != 0 && route.ifindex != ifindex) || (table != 0 && route.table != table);
  });
  return routes;
}

std::optional<Route> Socket::FindRoute(const net::Address& destination) {
  Request question(fmt::format("find route to {}", destination.ToString()), RTM_GETROUTE, 0);
  rtmsg header{};
  header.rtm_family = static_cast<uint8_t>(destination.family());
  header.rtm_dst_len = destination.bits();
  // The route itself, not what is cached of it. IPv4 must be asked for the table it stands in.
  header.rtm_flags = RTM_F_FIB_MATCH;
  if (destination.is_v4()) header.rtm_flags |= RTM_F_LOOKUP_TABLE;
  AppendHeader(question, header);
  Put(question, RTA_DST, destination.bytes());
  // What prohibit and unreachable routes, and the lack of any, are answered with.
  question.Tolerate(ENETUNREACH).Tolerate(EHOSTUNREACH).Tolerate(EACCES);
  std::vector<Route> routes;
  state_->channel.Ask(question, [&](const nlmsghdr& message) { DecodeRoute(message, routes); });
  if (routes.empty()) return {};
  return routes.front();
}

std::vector<BridgeVlan> Socket::BridgeVlans(int ifindex) {
  Request question(fmt::format("list vlans of link {}", ifindex), RTM_GETVLAN, 0);
  br_vlan_msg header{};
  header.family = AF_BRIDGE;
  header.ifindex = static_cast<uint32_t>(ifindex);
  AppendHeader(question, header);
  return state_->Dump(question, DecodeBridgeVlans);
}

namespace {

/// What a wait is woken by, besides its deadline.
struct Waking {
  int group;       ///< notifications of it
  int descriptor;  ///< that it can be read; -1 = none
};

/// Asks until there is an answer. @returns nullopt at the deadline
std::optional<bool> AskUntil(Channel& channel, Waking waking, std::chrono::milliseconds deadline,
                             const std::function<std::optional<bool>()>& ask) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  std::optional<bool> outcome = ask();
  if (outcome) return outcome;
  News news(channel, waking.group);
  // Asked once more after subscribing: a change in between is in no notification.
  outcome = ask();
  while (!outcome && news.Wait(end, waking.descriptor)) outcome = ask();
  return outcome;
}

}  // namespace

bool Socket::WaitForLink(int ifindex, const std::function<bool(const Link&)>& done,
                         std::chrono::milliseconds deadline, int wake) {
  const auto gone_or_done = [&]() -> std::optional<bool> {
    const std::optional<Link> link = FindLink(ifindex);
    if (!link) return false;
    return done(*link) ? std::optional(true) : std::nullopt;
  };
  return AskUntil(state_->channel, {RTNLGRP_LINK, wake}, deadline, gone_or_done).value_or(false);
}

bool Socket::WaitForAddresses(int ifindex,
                              const std::function<bool(const std::vector<LinkAddress>&)>& done,
                              std::chrono::milliseconds deadline) {
  const auto settled = [&] {
    return done(Addresses(ifindex, net::Family::kIpv6)) ? std::optional(true) : std::nullopt;
  };
  return AskUntil(state_->channel, {RTNLGRP_IPV6_IFADDR, -1}, deadline, settled).value_or(false);
}

}  // namespace cnm::netlink
