// netns_id.cc: other network namespaces' links, asked about from this one.
#include "common/netlink/netns_id.h"

#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "common/netlink/attributes.h"
#include "common/netlink/channel.h"
#include "common/netlink/decode.h"

namespace cnm::netlink {
namespace {

Request MakeQuestion(std::string what, int ifindex) {
  Request request(std::move(what), RTM_GETLINK, 0);
  ifinfomsg header{};
  header.ifi_index = ifindex;
  AppendHeader(request, header);
  PutNumber<uint32_t>(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return std::move(request).Tolerate(ENODEV);
}

/// The payload of a message behind its family header, as attributes.
template <class Header, int kMax>
Attributes<kMax> AttributesOf(const nlmsghdr& message) {
  const auto* const header = static_cast<const Header*>(NLMSG_DATA(&message));
  const int bytes = static_cast<int>(message.nlmsg_len) -
                    static_cast<int>(NLMSG_LENGTH(NLMSG_ALIGN(sizeof(Header))));
  return Attributes<kMax>(reinterpret_cast<const char*>(header) + NLMSG_ALIGN(sizeof(Header)),
                          bytes);
}

/// The kernel says "none" as a negative number.
std::optional<int> IdIn(const nlattr* attribute) {
  const int id = NumberOr<int>(attribute, -1);
  return id < 0 ? std::nullopt : std::optional(id);
}

}  // namespace

std::optional<int> FindNetnsId(Socket& socket, int netns) {
  Request question("find the network namespace's number", RTM_GETNSID, 0);
  AppendHeader(question, rtgenmsg{});
  PutNumber(question, NETNSA_FD, netns);
  std::optional<int> id;
  socket.channel().Ask(question, [&](const nlmsghdr& message) {
    if (message.nlmsg_type != RTM_NEWNSID) return;
    id = IdIn(AttributesOf<rtgenmsg, NETNSA_MAX>(message)[NETNSA_NSID]);
  });
  return id;
}

std::optional<int> FindPeerNetnsId(Socket& socket, int ifindex) {
  const Request question = MakeQuestion(fmt::format("find peer of link {}", ifindex), ifindex);
  std::optional<int> id;
  socket.channel().Ask(question, [&](const nlmsghdr& message) {
    if (message.nlmsg_type != RTM_NEWLINK) return;
    id = IdIn(AttributesOf<ifinfomsg, IFLA_MAX>(message)[IFLA_LINK_NETNSID]);
  });
  return id;
}

std::optional<Link> FindLinkIn(Socket& socket, int netns_id, std::string_view name) {
  const Request question =
      MakeQuestion(fmt::format("find link {} of network namespace {}", name, netns_id), 0);
  PutNumber(question, IFLA_TARGET_NETNSID, netns_id);
  PutText(question, IFLA_IFNAME, name);
  std::optional<Link> link;
  socket.channel().Ask(question, [&](const nlmsghdr& message) { link = DecodeLink(message); });
  return link;
}

}  // namespace cnm::netlink
