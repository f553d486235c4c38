// remote_ipam.h: an IPAM driver that is a Docker plugin (libnetwork.md B.2).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cnm/drivers/remote/plugin.h"
#include "cnm/engine/ipam_driver.h"

namespace cnm::remote {

/// Every call is one request to the plugin. Beside IpamDriver's errors: those of Plugin::Call;
/// kDecode for a pool or address that does not parse; kUnavailable "no address returned".
class RemoteIpam : public engine::IpamDriver {
 public:
  /// Activates the plugin, and asks for its capabilities (one that has none to tell has none) and
  /// its address spaces. @returns nullptr when there is no such plugin. @throws Error as
  /// Plugin::Find
  static std::shared_ptr<RemoteIpam> Find(const std::string& name,
                                          const PluginSettings& settings = {});

  std::string name() const override { return plugin_.name(); }
  bool requires_mac() const override { return requires_mac_; }
  bool requires_replay() const override { return requires_replay_; }
  std::string LocalSpace() override { return local_space_; }
  std::string GlobalSpace() override { return global_space_; }

  engine::Pool RequestPool(const engine::PoolSpec& spec) override;
  void ReleasePool(const std::string& pool_id) override;
  /// @returns nullopt only for a gateway that the plugin does not want
  std::optional<net::Prefix> RequestAddress(
      const std::string& pool_id, const std::optional<net::Address>& address,
      const std::map<std::string, std::string>& options) override;
  void ReleaseAddress(const std::string& pool_id, const net::Address& address) override;

 private:
  explicit RemoteIpam(Plugin plugin) : plugin_(std::move(plugin)) {}
  json::Object Call(std::string_view method, const std::string& body) const;
  void ReadCapabilities();
  void ReadSpaces();

  Plugin plugin_;
  bool requires_mac_ = false;
  bool requires_replay_ = false;
  std::string local_space_;
  std::string global_space_;
};

}  // namespace cnm::remote
