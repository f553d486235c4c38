// publication.cc: what the packet filter is asked for: a pure value of configuration and addresses.
#include "plugins/meta/portmap/publication.h"

#include <algorithm>
#include <iterator>

namespace cnm::portmap {
namespace {

firewall::PortMapping ToPortMapping(const Mapping& mapping, const net::Prefix& target) {
  firewall::PortMapping wanted;
  wanted.protocol = mapping.protocol;
  const bool specific = mapping.host_address && !mapping.host_address->IsUnspecified();
  if (specific) wanted.host_address = mapping.host_address;
  wanted.host_port = mapping.host_port;
  wanted.target_port = mapping.container_port;
  wanted.count = mapping.count;
  wanted.target = target;
  return wanted;
}

}  // namespace

Targets Targets::Of(std::span<const net::Prefix> addresses) {
  Targets targets;
  for (const net::Prefix& address : addresses) {
    std::optional<net::Prefix>& place = address.address.is_v4() ? targets.v4 : targets.v6;
    if (!place) place = address;
  }
  return targets;
}

firewall::Publication MakePublication(const Config& config, const Targets& targets) {
  firewall::Publication publication;
  for (const std::optional<net::Prefix>& target : {targets.v4, targets.v6}) {
    if (!target) continue;
    for (const Mapping& mapping : config.mappings) {
      if (!mapping.Serves(target->address.family())) continue;
      publication.mappings.push_back(ToPortMapping(mapping, *target));
    }
  }
  publication.masquerade_local = config.snat;
  publication.masquerade_all = config.snat && config.masquerade_all;  // as in the reference
  publication.conditions_v4 = config.conditions_v4;
  publication.conditions_v6 = config.conditions_v6;
  publication.mark_bit = config.mark_bit;
  publication.mark_chain = config.mark_chain;
  return publication;
}

std::vector<Mapping> Unserved(const Config& config, const Targets& targets) {
  std::vector<Mapping> unserved;
  std::copy_if(config.mappings.begin(), config.mappings.end(), std::back_inserter(unserved),
               [&](const Mapping& mapping) {
                 return !(targets.v4 && mapping.Serves(net::Family::kIpv4)) &&
                        !(targets.v6 && mapping.Serves(net::Family::kIpv6));
               });
  return unserved;
}

bool IsReachableByLocalhost(const firewall::Publication& publication) {
  if (!publication.masquerade_local) return false;
  return std::any_of(publication.mappings.begin(), publication.mappings.end(),
                     [](const firewall::PortMapping& mapping) {
                       return mapping.target.address.is_v4() &&
                              (!mapping.host_address || mapping.host_address->IsLoopback());
                     });
}

}  // namespace cnm::portmap
