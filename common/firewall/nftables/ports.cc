// ports.cc: published ports, normalised, and as elements of nftables maps.
#include "common/firewall/nftables/ports.h"

#include <algorithm>
#include <set>
#include <span>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::firewall::nftables {
namespace {

constexpr unsigned kLastPort = 65535;

void Validate(const PortMapping& mapping) {
  const unsigned last = mapping.host_port + mapping.count - 1U;
  const unsigned last_target = mapping.target_port + mapping.count - 1U;
  if (mapping.host_port == 0 || mapping.target_port == 0 || mapping.count == 0 ||
      last > kLastPort || last_target > kLastPort) {
    throw Error(Code::kConfig,
                fmt::format("publish port {}: {} ports from there and from {} do not fit",
                            mapping.host_port, mapping.count, mapping.target_port));
  }
  const auto& host = mapping.host_address;
  if (host && host->family() != mapping.target.address.family()) {
    throw Error(Code::kConfig,
                fmt::format("publish port {}: {} and {} are of two families", mapping.host_port,
                            host->ToString(), mapping.target.address.ToString()));
  }
}

std::optional<net::Address> HostAddress(const PortMapping& mapping) {
  const bool any = !mapping.host_address || mapping.host_address->IsUnspecified();
  return any ? std::nullopt : mapping.host_address;
}

/// One port of one of the mappings.
struct Single {
  uint16_t port = 0;
  uint16_t target_port = 0;
  const PortMapping* mapping = nullptr;
};

/// What distinguishes port spaces: the same port may be published once in each.
auto SpaceOf(const PortMapping& mapping) {
  return std::tuple(mapping.target.address.family(), mapping.protocol, HostAddress(mapping));
}

std::vector<Single> Expand(const std::vector<PortMapping>& mappings) {
  std::vector<Single> singles;
  for (const PortMapping& mapping : mappings) {
    Validate(mapping);
    for (unsigned i = 0; i < mapping.count; ++i) {
      singles.push_back({static_cast<uint16_t>(mapping.host_port + i),
                         static_cast<uint16_t>(mapping.target_port + i), &mapping});
    }
  }
  std::stable_sort(singles.begin(), singles.end(), [](const Single& a, const Single& b) {
    const auto space_a = SpaceOf(*a.mapping);
    const auto space_b = SpaceOf(*b.mapping);
    return space_a != space_b ? space_a < space_b : a.port < b.port;
  });
  const auto same = [](const Single& a, const Single& b) {
    return a.port == b.port && SpaceOf(*a.mapping) == SpaceOf(*b.mapping);
  };
  singles.erase(std::unique(singles.begin(), singles.end(), same), singles.end());
  return singles;
}

bool Continues(const Published& range, const Single& next) {
  return range.target_port == range.first && next.target_port == next.port &&
         next.port == range.last + 1 && range.target == next.mapping->target &&
         range.protocol == next.mapping->protocol &&
         range.host_address == HostAddress(*next.mapping);
}

void Append(std::vector<uint8_t>& bytes, std::span<const uint8_t> more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

void AppendPort(std::vector<uint8_t>& bytes, uint16_t port) {
  Append(bytes,
         std::vector<uint8_t>{static_cast<uint8_t>(port >> 8), static_cast<uint8_t>(port), 0, 0});
}

std::vector<uint8_t> KeyOf(const Published& published, uint16_t port) {
  std::vector<uint8_t> key;
  if (published.host_address) Append(key, published.host_address->bytes());
  Append(key, std::vector<uint8_t>{static_cast<uint8_t>(published.protocol), 0, 0, 0});
  AppendPort(key, port);
  return key;
}

Element MakePort(const Published& published) {
  const net::Address& target = published.target.address;
  const bool range = published.is_range();
  const std::string single =
      FamilySet(published.host_address ? kPorts : kAnyPorts, target.family());
  const std::string ranges =
      FamilySet(published.host_address ? kRanges : kAnyRanges, target.family());
  Element element{.set = range ? ranges : single,
                  .key = KeyOf(published, published.first),
                  .what = "port " + Describe(published),
                  .part = range ? Part::kRanges : Part::kPublication,
                  .rival = range ? single : ranges};
  Append(element.data, target.bytes());
  if (range) {
    element.key_end = KeyOf(published, published.last);
  } else {
    AppendPort(element.data, published.target_port);
  }
  return element;
}

Element MakeTarget(const net::Prefix& target, bool all) {
  const auto bytes = target.address.bytes();
  Element element{.key = {bytes.begin(), bytes.end()},
                  .what = "published target " + target.address.ToString()};
  if (all) {
    element.set = FamilySet(kMasqueradeAll, target.address.family());
    element.part = Part::kPublication;
  } else {
    element.set = HairpinSet(target.Subnet());
    element.part = Part::kHairpin;
    element.subnet = target.Subnet();
  }
  return element;
}

std::vector<Element> Questions(const Element& element, std::string_view set) {
  std::vector<Element> questions;
  Element question{.table = element.table, .set = std::string(set), .key = element.key};
  questions.push_back(question);
  // The port is the last field: two bytes and two of padding.
  while (!element.key_end.empty() && question.key != element.key_end) {
    uint8_t* const port = question.key.data() + question.key.size() - 4;
    if (++port[1] == 0) ++port[0];
    questions.push_back(question);
  }
  return questions;
}

}  // namespace

std::string FamilySet(std::string_view stem, net::Family family) {
  return fmt::format("{}_{}", stem, family == net::Family::kIpv4 ? "v4" : "v6");
}

std::string HairpinSet(const net::Prefix& subnet) {
  std::string name = fmt::format("hairpin-{}", subnet.ToString());
  std::replace(name.begin(), name.end(), ':', '_');
  return name;
}

std::vector<Published> Normalize(const std::vector<PortMapping>& mappings) {
  std::vector<Published> all;
  for (const Single& single : Expand(mappings)) {
    if (!all.empty() && Continues(all.back(), single)) {
      all.back().last = single.port;
      continue;
    }
    all.push_back({.protocol = single.mapping->protocol,
                   .host_address = HostAddress(*single.mapping),
                   .first = single.port,
                   .last = single.port,
                   .target = single.mapping->target,
                   .target_port = single.target_port});
  }
  return all;
}

std::string Describe(const Published& published) {
  const bool is_v4 = published.target.address.is_v4();
  std::string text = is_v4 ? "0.0.0.0" : "::";
  if (published.host_address) text = published.host_address->ToString();
  if (!is_v4) text = fmt::format("[{}]", text);
  text += fmt::format(":{}", published.first);
  if (published.is_range()) text += fmt::format("-{}", published.last);
  return fmt::format("{}/{}", text, NameOf(published.protocol));
}

bool IsConditional(const Publication& publication, net::Family family) {
  const bool is_v4 = family == net::Family::kIpv4;
  return !(is_v4 ? publication.conditions_v4 : publication.conditions_v6).empty();
}

std::vector<Element> PublicationElements(const Rules& rules) {
  const Publication& publication = rules.publication;
  std::vector<Element> elements;
  std::set<net::Prefix> targets;
  for (const Published& published : Normalize(publication.mappings)) {
    targets.insert(published.target);
    if (!IsConditional(publication, published.target.address.family())) {
      elements.push_back(MakePort(published));
    }
  }
  for (const net::Prefix& target : targets) {
    if (!publication.masquerade_all && !publication.masquerade_local) break;
    elements.push_back(MakeTarget(target, publication.masquerade_all));
  }
  return elements;
}

std::vector<Element> RivalQuestions(const Element& element) {
  return Questions(element, element.rival);
}

std::vector<Element> OwnQuestions(const Element& element) {
  return Questions(element, element.set);
}

}  // namespace cnm::firewall::nftables
