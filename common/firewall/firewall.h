// firewall.h: what an endpoint wants of the packet filter, as values, and the interface every
// backend serves.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/net/mac.h"
#include "common/net/prefix.h"

namespace cnm::firewall {

/// Packets from this address to anything outside its subnet, except multicast, leave with the
/// host's address. (The prefix holds the address and, by its length, the subnet.)
struct Masquerade {
  net::Prefix source;
  bool operator==(const Masquerade&) const = default;
};

/// Frames that enter the bridge through this link must carry this source MAC; others are dropped.
struct SpoofGuard {
  std::string link;
  net::Mac mac;
  bool operator==(const SpoofGuard&) const = default;
};

/// The transport protocols whose ports can be published, by their IP protocol numbers.
enum class Protocol : uint8_t { kTcp = 6, kUdp = 17, kSctp = 132 };
/// "tcp", "udp", "sctp".
std::string_view NameOf(Protocol protocol);

/// Connections to `count` ports of the host from `host_port` on go to as many ports of the
/// container from `target_port` on.
struct PortMapping {
  Protocol protocol = Protocol::kTcp;
  /// One address of the host, of the target's family; nullopt = all of them.
  std::optional<net::Address> host_address = {};
  uint16_t host_port = 0;
  uint16_t target_port = 0;
  uint16_t count = 1;
  net::Prefix target;  ///< the container's address; by its length, who its neighbours are
  bool operator==(const PortMapping&) const = default;
};

/// The ports an owner publishes, and how.
struct Publication {
  std::vector<PortMapping> mappings = {};
  /// Connections from the container itself, its neighbours on the subnet and (IPv4) the host's
  /// localhost get the host's address as their source, so that answers come back through the host.
  bool masquerade_local = true;
  bool masquerade_all = false;  ///< every connection to a mapping does
  /// Expressions that a packet must match besides, a word each: in the language of the backend.
  std::vector<std::string> conditions_v4 = {};
  std::vector<std::string> conditions_v6 = {};
  uint8_t mark_bit = 13;        ///< iptables: marks what CNI-HOSTPORT-MASQ masquerades
  std::string mark_chain = {};  ///< iptables: a foreign chain that sets the mark; "" = our own
  bool operator==(const Publication&) const = default;
};

/// What is forwarded, also where another table's policy drops.
struct Forwarding {
  std::vector<net::Address> addresses = {};  ///< packets from them, and answers to them
  /// As `addresses`, whole networks. Our own nftables tables drop nothing of theirs, so there they
  /// need no rule.
  std::vector<net::Prefix> subnets = {};
  /// New connections to them whose destination was translated, as that of a published port's is.
  /// Only iptables drops those; its operator's chains are asked first.
  std::vector<net::Address> published = {};
  std::string admin_chain = "CNI-ADMIN";  ///< iptables: the operator's chain, asked first
  std::string zone = "trusted";           ///< firewalld

  bool empty() const { return addresses.empty() && subnets.empty() && published.empty(); }
  /// Addresses and subnets.
  std::vector<net::Prefix> Sources() const;
  bool operator==(const Forwarding&) const = default;
};

/// Packets from other isolated bridges do not reach this one. All endpoints on the bridge share it:
/// Remove takes it away for all of them, so it is asked only for the last.
struct Isolation {
  std::string bridge;
  /// Nor do packets of IPv4 and IPv6 from one port of the bridge to another; ARP and IPv6's
  /// neighbour discovery pass.
  bool within = false;
  bool internal = false;  ///< nor do packets from anywhere else; and none leave it
  bool operator==(const Isolation&) const = default;
};

/// New connections (or datagrams) from `from` to this port of `to` pass between two ports of a
/// bridge that isolation `within` closes, and answers to them pass back.
struct Passage {
  std::string bridge;
  Protocol protocol = Protocol::kTcp;
  net::Address from;  ///< both of one family
  net::Address to;
  uint16_t port = 0;
  bool operator==(const Passage&) const = default;
};
/// "192.0.2.5 -> 192.0.2.6:80/tcp".
std::string Describe(const Passage& passage);

/// Whether iptables takes this as the name of a chain, in any text that holds one: at most 28
/// printable characters without blanks, quotes and what begins an option; not the name of a chain
/// or target that iptables has itself ("INPUT", "ACCEPT").
bool IsChainName(std::string_view name);

/// What one plugin wants for one owner (an endpoint).
struct Rules {
  std::string owner;    ///< 16 hex digits; every element carries it as its comment
  std::string network;  ///< for people, beside the owner in the comment; and for iptables,
  std::string container_id = {};  ///< whose chains and comments are named by both
  std::vector<Masquerade> masquerades = {};
  std::optional<SpoofGuard> spoof_guard = {};
  Publication publication = {};
  Forwarding forwarding = {};
  std::optional<Isolation> isolation = {};
  std::vector<Passage> passages = {};

  bool empty() const {
    return masquerades.empty() && !spoof_guard && publication.mappings.empty() &&
           forwarding.empty() && !isolation && passages.empty();
  }
  bool operator==(const Rules&) const = default;
};

/// What the reference plugins may have made for an endpoint that we have no record of, and where to
/// look for it.
struct Foreign {
  std::string network;
  std::string container_id;
  std::string ifname;
  bool masquerade = false;  ///< look for masquerading rules
  bool spoof_guard = false;
  bool publication = false;                   ///< look for published ports
  std::vector<net::Address> forwarding = {};  ///< look for the forwarding of these addresses
  std::string zone = "trusted";               ///< firewalld: in this one
};

/// One thing that stands in the packet filter now.
struct Programmed {
  std::string owner;              ///< "" when it cannot be told
  std::string network;            ///< "" when it cannot be told
  std::string container_id = {};  ///< only where rules name it instead of the owner
  std::string what;               ///< "192.0.2.1:8080/tcp -> 10.1.0.5:80", "masquerade 10.1.0.5"
  std::string place;              ///< "inet cnm ports_v4"
};

/// What a backend must know about other owners, given by the core: it holds no records itself.
struct Ledger {
  /// The rules of every live owner that stand in this backend; asked for only when the tables are
  /// rebuilt, and again on every attempt to do so.
  std::function<std::vector<Rules>(std::string_view backend)> live = {};
  /// Whether this owner is provably dead, so that its element may be replaced.
  std::function<bool(std::string_view owner)> dead = {};

  /// What `live` tells; nothing without it.
  std::vector<Rules> ReadLive(std::string_view backend) const {
    return live ? live(backend) : std::vector<Rules>();
  }
};

/// One packet filter. Each call is one atomic transaction: all of it or nothing.
class Firewall {
 public:
  virtual ~Firewall() = default;
  virtual std::string_view name() const = 0;  ///< "nftables", "iptables", "firewalld"
  /// Whether this host has such a packet filter at all. At most one request.
  virtual bool IsPresent() { return true; }

  /// Adds the rules; those that are there already stay. Tables that are missing or of an older
  /// schema are rebuilt with those of all live owners.
  /// @throws Error kInUse when an element belongs to another live owner, naming it; kConfig for
  /// rules this backend cannot express; kKernel
  virtual void Add(const Rules& rules) = 0;
  /// Removes exactly these; what is absent is fine. Closing the backend afterwards may wait for an
  /// RCU grace period in the kernel: keep it open over other such waits (design.md §2, DEL).
  virtual void Remove(const Rules& rules) = 0;
  /// Removes whatever of ours carries this owner, by a dump: only when no record says what it had.
  /// @returns how many elements
  virtual size_t RemoveByOwner(std::string_view owner) = 0;
  /// Takes away what is kept of these subnets for their next endpoint, unless one has rules now.
  virtual void ForgetSubnets(const std::vector<net::Prefix>& /*subnets*/) {}
  /// Removes what the reference plugins made, so that a host can change over in both directions.
  /// Cheap when there is none of it.
  virtual void RemoveForeign(const Foreign& foreign) = 0;
  /// Rules without an owner are the reference plugins', as far as they make them.
  /// @throws Error kKernel naming the first rule that is missing
  virtual void Verify(const Rules& rules) = 0;
  /// Deletes and rebuilds everything of ours from what the ledger tells of live owners, in one
  /// transaction. The backend asks it as late as it can, so that owners who come and go meanwhile
  /// are neither lost nor brought back. The operator's own chains stay.
  virtual void Rebuild() = 0;
  /// Everything of ours that is there, by a dump: for people.
  virtual std::vector<Programmed> List() = 0;
};

}  // namespace cnm::firewall
