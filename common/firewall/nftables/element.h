// element.h: rules as elements of nftables sets. Internal to this folder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/firewall/firewall.h"
#include "common/net/prefix.h"
#include "common/netlink/request.h"

struct nlmsghdr;

namespace cnm::firewall {

/// Our two tables, both named "cnm"; the value is the kernel's number of the family.
enum class Table : uint8_t { kInet = 1, kBridge = 7 };
inline constexpr Table kTables[] = {Table::kInet, Table::kBridge};
inline constexpr std::string_view kTableName = "cnm";
/// "inet" or "bridge".
constexpr std::string_view FamilyName(Table table) {
  return table == Table::kInet ? "inet" : "bridge";
}

/// Sets of the table `bridge cnm`.
inline constexpr std::string_view kGuardedLinks = "guarded_links";
inline constexpr std::string_view kGuardedPairs = "guarded_pairs";

/// An element with what it takes to say who has it.
struct Element {
  Table table = Table::kInet;
  std::string set;
  std::vector<uint8_t> key;  ///< as the kernel wants it: network order, fields padded to 4 bytes
  std::string comment;       ///< "owner network"
  std::string what;          ///< "masquerade 192.0.2.5": for messages
  std::optional<net::Prefix> subnet = {};  ///< of a masquerade set
};

/// The elements that make up an owner's rules, each once. @throws Error kInternal when a link's
/// name is too long
std::vector<Element> ElementsOf(const Rules& rules);

/// "inet cnm masquerade-192.0.2.0/24".
std::string Place(const Element& element);

/// The set of the addresses that are masqueraded outside this subnet. Colons, which nft(8) does not
/// take in a name, are underscores.
std::string MasqueradeSet(const net::Prefix& subnet);

/// The first word of a comment.
std::string_view OwnerOf(std::string_view comment);

/// Starts a message about a table: nfnetlink's header and the table's name in attribute 1, where
/// every kind of message has it.
netlink::Request MakeMessage(std::string what, int type, int flags, Table table);

/// `flags`: NLM_F_EXCL to fail with EEXIST when it is there; 0 to be content with that.
netlink::Request AddElement(const Element& element, int flags);
netlink::Request RemoveElement(const Element& element);
/// Asks for this one element.
netlink::Request FindElement(const Element& element);
/// For a dump of the set.
netlink::Request ListElements(Table table, std::string_view set);

/// The key and the comment of each element in an answer.
struct Stored {
  std::vector<uint8_t> key;
  std::string comment;
};
std::vector<Stored> DecodeElements(const nlmsghdr& message);

}  // namespace cnm::firewall
