// id.h: the names that are derived, never stored alone: owners, network ids, link names, MAC
// addresses.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/net/mac.h"

namespace cnm {

/// Who owns a kernel object, lease or record: 16 hex digits of SHA-512(network NUL container id NUL
/// ifname). The same for the same three words on every host and in every process, so that DEL and
/// GC find what is theirs without asking anybody.
std::string OwnerOf(std::string_view network, std::string_view container_id,
                    std::string_view ifname);

/// The owner as a number: which byte of the lock table is its lock.
uint64_t LockKey(std::string_view owner);

/// A network's id: 32 hex digits of SHA-512(name).
std::string NetworkId(std::string_view name);

/// The host link of an owner: "veth" + 11 hex digits (15 bytes, IFNAMSIZ - 1). `attempt` > 0
/// re-hashes after a clash with a foreign link.
std::string HostLinkName(std::string_view owner, uint32_t attempt);

/// The name of that link's other end while it waits on the host: "cnm" + 12 hex digits.
std::string PeerLinkName(std::string_view owner, uint32_t attempt);

/// A locally administered unicast MAC: 02 + 5 bytes of SHA-512(seed).
net::Mac DerivedMac(std::string_view seed);

/// The fixed MAC of a bridge that we create: from the machine id, so that two hosts on one L2
/// differ and a re-created bridge keeps its neighbours' trust.
net::Mac BridgeMac(std::string_view bridge);

}  // namespace cnm
