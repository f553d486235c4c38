// translation.cc: an owner's rules as elements of our sets.
#include "common/firewall/nftables/translation.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/firewall/nftables/ports.h"

namespace cnm::firewall::nftables {
namespace {

constexpr size_t kLinkNameBytes = 16;  // IFNAMSIZ

std::vector<uint8_t> LinkKey(const std::string& link, std::string_view what) {
  if (link.empty() || link.size() >= kLinkNameBytes) {
    throw Error(Code::kInternal, fmt::format("{} {}: not a link's name", what, link));
  }
  std::vector<uint8_t> key(link.begin(), link.end());
  key.resize(kLinkNameBytes);
  return key;
}

std::vector<uint8_t> AddressKey(const net::Address& address) {
  const auto bytes = address.bytes();
  return {bytes.begin(), bytes.end()};
}

std::vector<Element> MasqueradeElements(const Rules& rules) {
  std::vector<Element> elements;
  std::vector<Masquerade> masquerades = rules.masquerades;
  const auto less = [](const Masquerade& a, const Masquerade& b) { return a.source < b.source; };
  std::sort(masquerades.begin(), masquerades.end(), less);
  elements.reserve(masquerades.size());
  for (const auto& [source] : masquerades) {
    elements.push_back({.set = MasqueradeSet(source.Subnet()),
                        .key = AddressKey(source.address),
                        .what = "masquerade " + source.address.ToString(),
                        .part = Part::kMasquerade,
                        .subnet = source.Subnet()});
  }
  return elements;
}

std::vector<Element> GuardElements(const SpoofGuard& guard) {
  Element link{.table = Table::kBridge,
               .set = std::string(kGuardedLinks),
               .key = LinkKey(guard.link, "spoof guard"),
               .what = "spoof guard " + guard.link,
               .part = Part::kSpoofGuard};
  Element pair = link;
  pair.set = kGuardedPairs;
  pair.key.insert(pair.key.end(), guard.mac.bytes.begin(), guard.mac.bytes.end());
  pair.key.resize(kLinkNameBytes + 8);
  // The pair first: whoever looks between two dumps sees no link that is guarded and mute.
  return {std::move(pair), std::move(link)};
}

std::vector<Element> ForwardingElements(const Forwarding& forwarding) {
  std::vector<Element> elements;
  elements.reserve(forwarding.addresses.size());
  for (const net::Address& address : forwarding.addresses) {
    elements.push_back({.set = FamilySet(kForward, address.family()),
                        .key = AddressKey(address),
                        .what = "forward " + address.ToString(),
                        .part = Part::kForwarding});
  }
  return elements;
}

std::vector<Element> IsolationElements(const Isolation& isolation) {
  Element link{.set = std::string(kIsolatedBridges),
               .key = LinkKey(isolation.bridge, "isolate bridge"),
               .comment = fmt::format("{} {}", kSharedOwner, isolation.bridge),
               .what = "isolate bridge " + isolation.bridge,
               .part = Part::kForwarding,
               .shared = true};
  Element self = link;
  self.set = kIsolatedSelves;
  self.key.insert(self.key.end(), link.key.begin(), link.key.end());
  std::vector<Element> elements = {std::move(self), link};
  if (isolation.internal) {
    Element internal = link;
    internal.set = kInternalBridges;
    internal.what = "keep inside bridge " + isolation.bridge;
    internal.part = Part::kInternal;
    elements.push_back(std::move(internal));
  }
  if (!isolation.within) return elements;
  link.set = kClosedBridges;
  link.what = "close bridge " + isolation.bridge;
  elements.push_back(link);
  link.table = Table::kBridge;
  link.part = Part::kClosed;
  elements.push_back(std::move(link));
  return elements;
}

/// One element for each table: whichever sees the packet must let it pass.
std::vector<Element> PassageElements(const Passage& passage) {
  Element element{.set = FamilySet(kPassages, passage.to.family()),
                  .key = AddressKey(passage.from),
                  .comment = fmt::format("{} {}", kSharedOwner, passage.bridge),
                  .what = "passage " + Describe(passage),
                  .part = Part::kPassages,
                  .shared = true};
  const std::vector<uint8_t> to = AddressKey(passage.to);
  element.key.insert(element.key.end(), to.begin(), to.end());
  const auto high = static_cast<uint8_t>(passage.port >> 8U);
  const auto low = static_cast<uint8_t>(passage.port);
  element.key.insert(element.key.end(),
                     {static_cast<uint8_t>(passage.protocol), 0, 0, 0, high, low, 0, 0});
  Element bridge = element;
  bridge.table = Table::kBridge;
  bridge.part = Part::kClosed;
  return {std::move(element), std::move(bridge)};
}

}  // namespace

std::string MasqueradeSet(const net::Prefix& subnet) {
  std::string name = fmt::format("masquerade-{}", subnet.ToString());
  std::replace(name.begin(), name.end(), ':', '_');
  return name;
}

std::vector<Element> ElementsOf(const Rules& rules) {
  const std::string comment = MakeComment(rules);
  std::vector<Element> elements;
  std::set<std::pair<std::string, std::vector<uint8_t>>> seen;
  const auto append = [&](std::vector<Element> more) {
    for (Element& element : more) {
      const std::string place = Place(element);
      if (!seen.emplace(place, element.key).second) continue;
      if (element.comment.empty()) element.comment = comment;
      elements.push_back(std::move(element));
    }
  };
  append(MasqueradeElements(rules));
  append(PublicationElements(rules));
  append(ForwardingElements(rules.forwarding));
  if (rules.isolation) append(IsolationElements(*rules.isolation));
  for (const Passage& passage : rules.passages) append(PassageElements(passage));
  if (rules.spoof_guard) append(GuardElements(*rules.spoof_guard));
  return elements;
}

}  // namespace cnm::firewall::nftables
