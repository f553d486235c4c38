// listing.cc: everything of ours that stands in nftables, for people.
#include "common/firewall/nftables/listing.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "common/firewall/nftables/conditions.h"
#include "common/firewall/nftables/inventory.h"
#include "common/firewall/nftables/ports.h"
#include "common/firewall/nftables/translation.h"

namespace cnm::firewall::nftables {
namespace {

using Bytes = std::span<const uint8_t>;

constexpr size_t kFieldBytes = 4;
constexpr size_t kLinkNameBytes = 16;

net::Family FamilyOf(std::string_view set) {
  return set.ends_with("_v6") ? net::Family::kIpv6 : net::Family::kIpv4;
}

std::string TextOf(Bytes bytes) {
  return {bytes.begin(), std::find(bytes.begin(), bytes.end(), uint8_t{0})};
}

/// The port in the last field.
uint16_t PortOf(Bytes bytes) {
  const Bytes field = bytes.last(kFieldBytes);
  return static_cast<uint16_t>(field[0] << 8 | field[1]);
}

/// "192.0.2.1:8080/tcp -> 10.1.0.5:80"; nullopt when the sizes are not ours.
std::optional<std::string> DescribePort(const Stored& stored, net::Family family) {
  const size_t address_bytes = family == net::Family::kIpv4 ? 4 : 16;
  const Bytes key(stored.key);
  const bool with_address = key.size() == address_bytes + 2 * kFieldBytes;
  if (!with_address && key.size() != 2 * kFieldBytes) return {};
  if (stored.data.size() < address_bytes) return {};
  const net::Address target(Bytes(stored.data).first(address_bytes));
  Published published{.protocol = static_cast<Protocol>(key[key.size() - 2 * kFieldBytes]),
                      .first = PortOf(key),
                      .last = PortOf(stored.key_end.empty() ? key : Bytes(stored.key_end)),
                      .target = {target, target.bits()}};
  if (with_address) published.host_address = net::Address(key.first(address_bytes));
  const std::string to =
      family == net::Family::kIpv4 ? target.ToString() : fmt::format("[{}]", target.ToString());
  const uint16_t port = stored.data.size() == address_bytes ? published.first : PortOf(stored.data);
  if (published.is_range()) return fmt::format("{} -> {}", Describe(published), to);
  return fmt::format("{} -> {}:{}", Describe(published), to, port);
}

std::optional<std::string> DescribeAddress(std::string_view verb, const Stored& stored) {
  if (stored.key.size() != 4 && stored.key.size() != 16) return {};
  return fmt::format("{} {}", verb, net::Address(stored.key).ToString());
}

/// "passage 192.0.2.5 -> 192.0.2.6:80/tcp".
std::optional<std::string> DescribePassage(const Stored& stored, net::Family family) {
  const size_t address_bytes = family == net::Family::kIpv4 ? 4 : 16;
  const Bytes key(stored.key);
  if (key.size() != 2 * (address_bytes + kFieldBytes)) return {};
  return fmt::format("passage {}",
                     Describe(Passage{.bridge = {},
                                      .protocol = static_cast<Protocol>(key[2 * address_bytes]),
                                      .from = net::Address(key.first(address_bytes)),
                                      .to = net::Address(key.subspan(address_bytes, address_bytes)),
                                      .port = PortOf(key)}));
}

/// What sets whose names begin so say about their addresses.
struct Verb {
  std::string_view set;
  std::string_view verb;
};
constexpr std::array kAddressVerbs = {
    Verb{"masquerade-", "masquerade"}, Verb{"hairpin-", "masquerade neighbours of"},
    Verb{"masquerade_all_", "masquerade everybody to"}, Verb{"forward_", "forward"}};
constexpr std::array kLinkVerbs = {
    Verb{kIsolatedBridges, "isolate bridge"}, Verb{kClosedBridges, "close bridge"},
    Verb{kInternalBridges, "keep inside bridge"}, Verb{kGuardedPairs, "spoof guard"}};

std::optional<std::string> DescribeStored(std::string_view set, const Stored& stored) {
  for (const auto& [name, verb] : kAddressVerbs) {
    if (set.starts_with(name)) return DescribeAddress(verb, stored);
  }
  for (const auto& [name, verb] : kLinkVerbs) {
    if (set != name) continue;
    std::string text = fmt::format("{} {}", verb, TextOf(stored.key));
    const Bytes mac = Bytes(stored.key).subspan(std::min(stored.key.size(), kLinkNameBytes));
    if (mac.size() >= 6) text += fmt::format(" {:02x}", fmt::join(mac.first(6), ":"));
    return text;
  }
  if (set == FamilySet(kPassages, FamilyOf(set))) return DescribePassage(stored, FamilyOf(set));
  for (const std::string_view stem : {kPorts, kAnyPorts, kRanges, kAnyRanges}) {
    if (set == FamilySet(stem, FamilyOf(set))) return DescribePort(stored, FamilyOf(set));
  }
  return {};
}

Programmed MakeProgrammed(const std::string& comment, std::string what, std::string place) {
  const bool shared = OwnerOf(comment) == kSharedOwner;
  return {.owner = shared ? "" : std::string(OwnerOf(comment)),
          .network = shared ? "" : std::string(NetworkOf(comment)),
          .what = std::move(what),
          .place = std::move(place)};
}

}  // namespace

std::vector<Programmed> ListProgrammed(netlink::Channel& channel) {
  std::vector<Programmed> all;
  for (const Table table : kTables) {
    for (const std::string& set : ReadContents(channel, table).sets) {
      // Halves of what another set tells.
      if (set == kGuardedLinks || set == kIsolatedSelves) continue;
      for (const Stored& stored : ReadElements(channel, table, set)) {
        std::optional<std::string> what = DescribeStored(set, stored);
        if (!what) break;  // an operator's set
        all.push_back(MakeProgrammed(stored.comment, std::move(*what),
                                     fmt::format("{} {} {}", FamilyName(table), kTableName, set)));
      }
    }
  }
  for (const auto& [chain, rule] : FindConditional(channel, "")) {
    all.push_back(MakeProgrammed(rule.comment,
                                 fmt::format("ports under conditions, rule {}", rule.handle),
                                 fmt::format("inet {} {}", chain.table, chain.chain)));
  }
  return all;
}

}  // namespace cnm::firewall::nftables
