// element.h: one element of an nftables set or map, and the messages about it. Internal to this
// folder.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/firewall/firewall.h"
#include "common/net/prefix.h"
#include "common/netlink/request.h"

struct nlmsghdr;

namespace cnm::firewall::nftables {

/// Our two tables, both named "cnm"; the value is the kernel's number of the family.
enum class Table : uint8_t { kInet = 1, kBridge = 7 };
inline constexpr Table kTables[] = {Table::kInet, Table::kBridge};
inline constexpr std::string_view kTableName = "cnm";
/// "inet" or "bridge".
constexpr std::string_view FamilyName(Table table) {
  return table == Table::kInet ? "inet" : "bridge";
}

/// What of the tables is built when the first element needs it (schema.h).
enum class Part : uint8_t {
  kMasquerade,   ///< of one subnet
  kHairpin,      ///< of one subnet
  kPublication,  ///< published ports
  kRanges,       ///< ranges of published ports
  kForwarding,   ///< forwarding and isolation
  kPassages,     ///< what passes between ports of closed bridges; built with kForwarding
  kInternal,     ///< bridges that nothing is forwarded to or from
  kSpoofGuard,   ///< bridge: of links
  kClosed,       ///< bridge: ports that do not reach each other; a kernel may be unable
};

/// An element with what it takes to say who has it.
struct Element {
  Table table = Table::kInet;
  std::string set = {};
  std::vector<uint8_t> key =
      {};  ///< as the kernel wants it: network order, fields padded to 4 bytes
  std::vector<uint8_t> key_end = {};       ///< of a range: its last key; else empty
  std::vector<uint8_t> data = {};          ///< of a map: what the key leads to, in the same form
  std::string comment = {};                ///< "owner network"
  std::string what = {};                   ///< "masquerade 192.0.2.5": for messages
  Part part = Part::kMasquerade;           ///< where its set is
  std::optional<net::Prefix> subnet = {};  ///< of kMasquerade and kHairpin
  std::string rival = {};                  ///< the set that must hold none of these keys
  bool shared = false;                     ///< has no one owner: everybody adds it again
};

/// "inet cnm masquerade-192.0.2.0/24".
std::string Place(const Element& element);
/// The first word of a comment.
std::string_view OwnerOf(std::string_view comment);
/// The words after it.
std::string_view NetworkOf(std::string_view comment);
/// "owner network" in no more bytes than nft(8) reads and without what would end its quotes.
std::string MakeComment(const Rules& rules);
/// The comment among the type-length-value triples of an element's or a rule's user data; "" if
/// there is none.
std::string DecodeComment(std::span<const uint8_t> data);

/// A chain of anybody's.
struct ChainName {
  uint8_t family = 0;  ///< NFPROTO_*
  std::string_view table = kTableName;
  std::string_view chain;
};
/// One of ours.
constexpr ChainName OurChain(Table table, std::string_view chain) {
  return {static_cast<uint8_t>(table), kTableName, chain};
}

/// Starts a message about a table: nfnetlink's header and the table's name in attribute 1, where
/// every kind of message has it.
netlink::Request MakeMessage(int type, int flags, Table table);
/// The same about somebody else's table: `family` is NFPROTO_*.
netlink::Request MakeMessage(int type, int flags, uint8_t family, std::string_view table);

/// How many bytes of elements a message surely takes besides its names, and no less than one
/// element has.
inline constexpr size_t kElementBytes = 880;
/// No less than this element has in a message.
size_t BytesOf(const Element& element);
/// Adds elements of one set. `flags`: NLM_F_EXCL to fail with EEXIST when one is there; 0 to be
/// content with that.
netlink::Request AddElements(std::span<const Element* const> elements, int flags);
netlink::Request RemoveElements(std::span<const Element* const> elements);
/// Asks for this one element; of ranges, for the one that holds its key.
netlink::Request FindElement(const Element& element);
/// For a dump of the set.
netlink::Request ListElements(Table table, std::string_view set);

/// An element in an answer.
struct Stored {
  std::vector<uint8_t> key;
  std::vector<uint8_t> key_end;
  std::vector<uint8_t> data;
  std::string comment;
};
std::vector<Stored> DecodeElements(const nlmsghdr& message);

/// Whether it is this very element, whoever has it and wherever it leads.
bool IsSame(const Stored& stored, const Element& element);
/// Whether both claim a key: in one set, or in rival ones.
bool Clash(const Element& a, const Element& b);

}  // namespace cnm::firewall::nftables
