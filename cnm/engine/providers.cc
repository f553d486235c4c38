// providers.cc: the drivers an engine has or finds, by name.
#include "cnm/engine/providers.h"

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::engine {

// A plugin is searched for without the lock: it may take seconds to answer.
std::shared_ptr<NetworkDriver> Providers::GetDriver(const std::string& type) {
  for (const auto& driver : options_.drivers) {
    if (driver->type() == type) return driver;
  }
  {
    const std::lock_guard guard(mutex_);
    const auto known = drivers_.find(type);
    if (known != drivers_.end()) return known->second;
  }
  std::shared_ptr<NetworkDriver> found;
  if (options_.find_driver) found = options_.find_driver(type);
  if (!found) {
    throw Error(Code::kNotFound, "Plugin not found", fmt::format("network driver \"{}\"", type));
  }
  const std::lock_guard guard(mutex_);
  return drivers_.emplace(type, std::move(found)).first->second;
}

std::shared_ptr<IpamDriver> Providers::GetIpam(const std::string& name) {
  for (const auto& ipam : options_.ipams) {
    if (name.empty() || ipam->name() == name) return ipam;
  }
  {
    const std::lock_guard guard(mutex_);
    const auto known = ipams_.find(name);
    if (known != ipams_.end()) return known->second;
  }
  std::shared_ptr<IpamDriver> found;
  if (options_.find_ipam && !name.empty()) found = options_.find_ipam(name);
  if (!found) {
    throw Error(Code::kConfig, fmt::format("could not resolve IPAM driver {}",
                                           name.empty() ? "(none is configured)" : name));
  }
  const std::lock_guard guard(mutex_);
  return ipams_.emplace(name, std::move(found)).first->second;
}

}  // namespace cnm::engine
