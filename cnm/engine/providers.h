// providers.h: the drivers an engine has or finds, by name.
#pragma once

#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "cnm/engine/engine.h"

namespace cnm::engine {

/// Network and IPAM drivers; one that was found once is kept. For several threads.
///
/// A plugin is searched for on a thread of its own, once for all who want it. Those of a start do
/// not wait for one that does not answer at once: a search may take 15 s.
class Providers {
 public:
  explicit Providers(const EngineOptions& options) : options_(options) {}

  /// Has the functions below wait for a search until it ends, from now on.
  void EndStart();

  /// @throws Error kNotFound "Plugin not found"; kUnavailable "plugin X does not answer yet"; of
  /// the search
  std::shared_ptr<NetworkDriver> GetDriver(const std::string& type);
  /// "" = the first one. @throws Error kConfig "could not resolve IPAM driver X", as above
  std::shared_ptr<IpamDriver> GetIpam(const std::string& name);

  /// Whether it is no plugin.
  bool HasDriver(const std::string& type) const;
  bool HasIpam(const std::string& name) const;

 private:
  template <class T>
  using Searches = std::map<std::string, std::shared_future<std::shared_ptr<T>>>;
  template <class T, class Find>
  std::shared_ptr<T> Search(const std::string& name, const Find& find, Searches<T>& searches);

  const EngineOptions& options_;  ///< of whoever has us
  std::mutex mutex_;              ///< for all below
  bool starting_ = true;
  Searches<NetworkDriver> drivers_;
  Searches<IpamDriver> ipams_;
};

}  // namespace cnm::engine
