// subnets_in_use.h: which subnets this host uses already, so that no pool is chosen from them.
#pragma once

#include <string>
#include <vector>

#include "cnm/sandbox/resolv_conf.h"
#include "common/net/prefix.h"

namespace cnm::pools {

/// The name servers of a resolv.conf text, each as a subnet of one address.
std::vector<net::Prefix> NameserverSubnets(const std::string& resolv_conf);

/// The destinations of the calling thread's netns' main routing table, default routes left out, and
/// the host's name servers (libnetwork.md §18). @throws Error kKernel, kIo
std::vector<net::Prefix> SubnetsInUse(const resolv_conf::HostFiles& files = {});

}  // namespace cnm::pools
