// address.cc: addresses on links as values, and the requests that change them.
#include "common/netlink/address.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <cerrno>
#include <string_view>

#include <fmt/format.h>
#include <netlink/msg.h>

#include "common/netlink/attributes.h"
#include "common/netlink/decode.h"

namespace cnm::netlink {
namespace {

Request MakeAddressRequest(std::string_view verb, uint16_t type, int ifindex,
                           const net::Prefix& prefix) {
  const uint16_t flags = type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_EXCL : 0;
  Request request(fmt::format("{} address {}", verb, prefix.ToString()), type, flags);
  ifaddrmsg header{};
  header.ifa_family = static_cast<uint8_t>(prefix.address.family());
  header.ifa_prefixlen = prefix.length;
  header.ifa_scope = prefix.address.IsLoopback() ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
  header.ifa_index = static_cast<uint32_t>(ifindex);
  AppendHeader(request, header);
  Put(request, IFA_LOCAL, prefix.address.bytes());
  Put(request, IFA_ADDRESS, prefix.address.bytes());
  return request;
}

}  // namespace

Request AddAddress(int ifindex, const net::Prefix& prefix, bool skip_dad) {
  Request request = MakeAddressRequest("add", RTM_NEWADDR, ifindex, prefix);
  const bool is_v4 = prefix.address.is_v4();
  // A subnet of one or two addresses (RFC 3021) has no broadcast address.
  if (is_v4 && prefix.length < 31) Put(request, IFA_BROADCAST, prefix.Last().bytes());
  if (!is_v4 && skip_dad) PutNumber<uint32_t>(request, IFA_FLAGS, IFA_F_NODAD);
  return request;
}

Request RemoveAddress(int ifindex, const net::Prefix& prefix) {
  return MakeAddressRequest("remove", RTM_DELADDR, ifindex, prefix).Tolerate(EADDRNOTAVAIL);
}

void DecodeAddress(const nlmsghdr& message, std::vector<LinkAddress>& addresses) {
  if (message.nlmsg_type != RTM_NEWADDR || message.nlmsg_len < NLMSG_LENGTH(sizeof(ifaddrmsg))) {
    return;
  }
  const auto& header = *static_cast<const ifaddrmsg*>(NLMSG_DATA(&message));
  const Attributes<IFA_FLAGS> attributes(&header + 1,
                                         static_cast<int>(NLMSG_PAYLOAD(&message, sizeof header)));
  // IFA_ADDRESS is the far end of a point-to-point link; IPv6 leaves IFA_LOCAL out when the two are
  // equal.
  const nlattr* const local =
      attributes[IFA_LOCAL] != nullptr ? attributes[IFA_LOCAL] : attributes[IFA_ADDRESS];
  const std::span<const uint8_t> bytes = Bytes(local);
  if (bytes.size() != 4 && bytes.size() != 16) return;
  addresses.push_back({.ifindex = static_cast<int>(header.ifa_index),
                       .prefix = {net::Address(bytes), header.ifa_prefixlen},
                       .scope = header.ifa_scope,
                       .flags = NumberOr<uint32_t>(attributes[IFA_FLAGS], header.ifa_flags)});
}

}  // namespace cnm::netlink
