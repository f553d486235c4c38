// network_table.cc: the networks of one door, in memory and in the durable store.
#include "cnm/drivers/local/network_table.h"

#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/base/log.h"

namespace cnm::local {
namespace {

constexpr char kPrefix[] = "bridge-networks";

std::string KeyOf(const std::string& id) {
  return fmt::format("{}/{}", kPrefix, id);
}

}  // namespace

NetworkTable::NetworkTable(const std::string& durable_directory, std::string door)
    : directory_(durable_directory), door_(std::move(door)) {
  for (LocalNetwork& network : Recorded()) {
    if (network.door != door_) continue;
    std::string id = network.config.id;
    networks_[std::move(id)] = std::make_shared<const LocalNetwork>(std::move(network));
  }
}

FileStore NetworkTable::Open() const {
  return FileStore(directory_, Durability::kDurable);
}

std::shared_ptr<const LocalNetwork> NetworkTable::Find(const std::string& id) const {
  const std::lock_guard guard(mutex_);
  const auto found = networks_.find(id);
  return found == networks_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const LocalNetwork>> NetworkTable::All() const {
  const std::lock_guard guard(mutex_);
  std::vector<std::shared_ptr<const LocalNetwork>> all;
  all.reserve(networks_.size());
  for (const auto& [id, network] : networks_) all.push_back(network);
  return all;
}

std::vector<LocalNetwork> NetworkTable::Recorded() const {
  std::vector<LocalNetwork> recorded;
  for (const StoredDocument& document : Open().List(kPrefix)) {
    try {
      recorded.push_back(DecodeLocalNetwork(document.json));
    } catch (const Error& e) {
      Warn(fmt::format("{}: {}", document.key, e.message()));
    }
  }
  return recorded;
}

void NetworkTable::Put(LocalNetwork network) {
  const std::string id = network.config.id;
  Open().Put(KeyOf(id), Encode(network), kAnyVersion);
  auto shown = std::make_shared<const LocalNetwork>(std::move(network));
  const std::lock_guard guard(mutex_);
  networks_[id] = std::move(shown);
}

bool NetworkTable::Remove(const std::string& id) {
  const bool recorded = Open().Delete(KeyOf(id), kAnyVersion);
  const std::lock_guard guard(mutex_);
  return networks_.erase(id) > 0 || recorded;
}

}  // namespace cnm::local
