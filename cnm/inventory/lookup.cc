// lookup.cc: finding a network in an inventory.
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cnm/inventory/inventory.h"
#include "common/base/error.h"

namespace cnm::inventory {

const Membership* NetworkEntry::Find(std::string_view door) const {
  const auto found = std::find_if(doors.begin(), doors.end(),
                                  [&](const Membership& one) { return one.door == door; });
  return found == doors.end() ? nullptr : &*found;
}

const std::string& NetworkEntry::id() const {
  static const std::string none;
  constexpr std::array<std::string_view, 3> kOrder = {"api", "docker", "cni"};
  for (const std::string_view door : kOrder) {
    if (const Membership* found = Find(door)) return found->id;
  }
  return none;
}

const NetworkEntry& GetNetwork(const Inventory& inventory, const std::string& name_or_id) {
  std::vector<const NetworkEntry*> begin;
  for (const NetworkEntry& network : inventory.networks) {
    if (network.name == name_or_id) return network;
  }
  for (const NetworkEntry& network : inventory.networks) {
    const auto any = [&](const auto& is) {
      return std::any_of(network.doors.begin(), network.doors.end(), is);
    };
    if (any([&](const Membership& door) { return door.name == name_or_id; })) return network;
    if (any([&](const Membership& door) { return door.id == name_or_id; })) return network;
    if (any([&](const Membership& door) { return door.id.starts_with(name_or_id); })) {
      begin.push_back(&network);
    }
  }
  if (begin.size() == 1 && !name_or_id.empty()) return *begin.front();
  if (begin.empty() || name_or_id.empty()) {
    throw Error(Code::kNotFound, fmt::format("network {}: there is none", name_or_id),
                "see cnmctl network ls");
  }
  std::vector<std::string> names;
  names.reserve(begin.size());
  for (const NetworkEntry* network : begin) names.push_back(network->name);
  throw Error(Code::kConfig,
              fmt::format("network {}: the ids of {} networks begin so", name_or_id, begin.size()),
              fmt::format("{}", fmt::join(names, ", ")));
}

}  // namespace cnm::inventory
