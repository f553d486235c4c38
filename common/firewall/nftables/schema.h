// schema.h: what our nftables tables hold besides elements, and the messages that build it.
// Internal to this folder.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/firewall/nftables/element.h"
#include "common/firewall/nftables/structure.h"
#include "common/net/prefix.h"
#include "common/netlink/request.h"

namespace cnm::firewall::nftables {

/// The number in the name of the chain `schema_4` in each of our tables. Raise it with every change
/// of what this file builds. If an older program's sets of the same names are not good enough,
/// rename them too: a warm Add sends nothing but elements, so it notices another schema by the sets
/// it does not find.
inline constexpr unsigned kSchema = 4;

/// "schema_4".
std::string SchemaChain(unsigned schema);
/// The number in such a name; 0 if it is none.
unsigned SchemaOf(std::string_view chain);

/// Chains of the table `inet cnm` that others look at.
inline constexpr std::string_view kPostrouting = "postrouting";
inline constexpr std::string_view kPrerouting = "prerouting";
inline constexpr std::string_view kOutput = "output";
inline constexpr std::string_view kForwardChain = "forward";
inline constexpr std::string_view kInternal = "internal";
inline constexpr std::string_view kMartians = "martians";
inline constexpr std::string_view kReflected = "reflected";
inline constexpr std::string_view kClosedChain = "closed";            ///< of each table
inline constexpr std::string_view kPublished = "published";           ///< of each family
inline constexpr std::string_view kConditional = "conditional";       ///< of each family
inline constexpr std::string_view kAddressRanges = "address_ranges";  ///< of each family
/// The operator's own. It is created empty and never touched again.
inline constexpr std::string_view kUser = "user";

/// What a table holds, by names.
struct Contents {
  unsigned schema = 0;  ///< 0 = none of ours
  std::set<std::string, std::less<>> chains = {};
  std::set<std::string, std::less<>> sets = {};
};

/// Both tables' contents.
using Inventory = std::map<Table, Contents>;

/// Builds what is missing: messages for one transaction, in order, each with the part it builds.
class Structure {
 public:
  struct Message {
    netlink::Request request;
    Table table;
    std::optional<Part> part;  ///< none = what all parts of a table rest on
  };

  explicit Structure(Inventory inventory) : inventory_(std::move(inventory)) {}

  /// Deletes what is ours in the table and builds its schema chain and hooks. What is not ours
  /// stays: the chain `user`, and whatever else an operator has put there.
  void Rebuild(Table table);
  /// Builds the part that holds this element's set, and what that rests on, unless it is there.
  void Need(const Element& element);
  /// The chains of published ports, for those that are rules under conditions.
  void NeedPublication();
  /// Whether the element's set is there, or will be.
  bool Holds(const Element& element) const;

  const std::vector<Message>& messages() const { return messages_; }

 private:
  void NeedRanges();
  void NeedForwarding();
  void NeedInternal();
  void NeedSpoofGuard();
  void NeedClosed();
  void AppendClosedChain();
  void AppendClosedJump();
  void NeedMasquerade(const net::Prefix& subnet);
  void NeedHairpin(const net::Prefix& subnet);
  void AppendPublished(net::Family family);
  bool StartsWithChain(Table table, Part part, std::string_view chain);
  bool StartsWithSet(Part part, std::string_view set);
  void Append(netlink::Request request) {
    messages_.push_back({std::move(request), table_, part_});
  }
  void AppendSet(std::string_view name, const SetType& type);

  Inventory inventory_;  // as it will be
  std::vector<Message> messages_;
  Table table_ = Table::kInet;  // that is being built
  std::optional<Part> part_;
};

}  // namespace cnm::firewall::nftables
