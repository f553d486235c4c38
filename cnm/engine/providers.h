// providers.h: the drivers an engine has or finds, by name.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "cnm/engine/engine.h"

namespace cnm::engine {

/// Network and IPAM drivers; one that was found once is kept. For several threads.
class Providers {
 public:
  /// `options` outlives it.
  explicit Providers(const EngineOptions& options) : options_(options) {}

  /// @throws Error kNotFound "Plugin not found"; of the search
  std::shared_ptr<NetworkDriver> GetDriver(const std::string& type);
  /// "" = the first one. @throws Error kConfig "could not resolve IPAM driver X"
  std::shared_ptr<IpamDriver> GetIpam(const std::string& name);

 private:
  const EngineOptions& options_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<NetworkDriver>> drivers_;
  std::map<std::string, std::shared_ptr<IpamDriver>> ipams_;
};

}  // namespace cnm::engine
