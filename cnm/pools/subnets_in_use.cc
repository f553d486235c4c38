// subnets_in_use.cc: which subnets this host uses already.
#include "cnm/pools/subnets_in_use.h"

#include "common/netlink/route.h"
#include "common/netlink/socket.h"

namespace cnm::pools {

std::vector<net::Prefix> NameserverSubnets(const std::string& resolv_conf) {
  std::vector<net::Prefix> subnets;
  const resolv_conf::Settings settings = resolv_conf::Parse(resolv_conf);
  subnets.reserve(settings.nameservers.size());
  for (const std::string& server : settings.nameservers) {
    const auto address = net::Address::Parse(server.substr(0, server.find('%')));
    if (address) subnets.push_back({*address, address->bits()});
  }
  return subnets;
}

std::vector<net::Prefix> SubnetsInUse(const resolv_conf::HostFiles& files) {
  std::vector<net::Prefix> subnets = NameserverSubnets(resolv_conf::ReadHost(files));
  netlink::Socket socket = netlink::Socket::Open();
  for (const net::Family family : net::kFamilies) {
    for (const netlink::Route& route : socket.Routes(0, family)) {
      if (route.destination.length > 0) subnets.push_back(route.destination);
    }
  }
  return subnets;
}

}  // namespace cnm::pools
