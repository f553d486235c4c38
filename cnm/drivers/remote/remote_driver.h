// remote_driver.h: a network driver that is a Docker plugin (libnetwork.md §10.4, B.1).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cnm/drivers/remote/plugin.h"
#include "cnm/engine/driver.h"

namespace cnm::remote {

/// Every call is one request to the plugin. Beside NetworkDriver's errors: those of Plugin::Call.
///
/// An answer that cannot be used is undone before it is refused: CreateEndpoint by DeleteEndpoint,
/// Join by Leave; the message then ends in "; rolled back" or "; failed to roll back: reason".
class RemoteDriver : public engine::NetworkDriver {
 public:
  /// Activates the plugin and asks for its scope. @returns nullptr when there is no such plugin
  /// @throws Error as Plugin::Find; kConfig "invalid driver bound to network: X" for a scope that
  /// is neither local nor global
  static std::shared_ptr<RemoteDriver> Find(const std::string& name,
                                            const PluginSettings& settings = {});

  std::string type() const override { return plugin_.name(); }
  engine::Scope scope() const override { return scope_; }

  void CreateNetwork(const engine::NetworkConfig& network) override;
  void DeleteNetwork(const std::string& network_id) override;
  /// @throws Error kConfig "driver attempted to add interface ignoring the one provided" when the
  /// plugin answers what it was given
  engine::Interface CreateEndpoint(const engine::EndpointConfig& endpoint) override;
  void DeleteEndpoint(const std::string& network_id, const std::string& endpoint_id) override;
  std::string OperInfo(const std::string& network_id, const std::string& endpoint_id) override;
  /// An answer without interface is right: such an endpoint has no link.
  engine::JoinInfo Join(const std::string& network_id, const std::string& endpoint_id,
                        const std::string& sandbox_key, const std::string& options) override;
  void Leave(const std::string& network_id, const std::string& endpoint_id) override;
  /// Both succeed when the plugin does not know them (404).
  void ProgramExternalConnectivity(const std::string& network_id, const std::string& endpoint_id,
                                   const std::vector<engine::PortBinding>& bindings,
                                   const std::string& options) override;
  void RevokeExternalConnectivity(const std::string& network_id,
                                  const std::string& endpoint_id) override;

  /// A plugin's link goes back to the host's netns, under the name the plugin gave it.
  bool ReturnsLinks() const override { return true; }

 private:
  RemoteDriver(Plugin plugin, engine::Scope scope) : plugin_(std::move(plugin)), scope_(scope) {}
  json::Object Call(std::string_view method, const std::string& body) const;
  void CallIfKnown(std::string_view method, const std::string& body) const;

  Plugin plugin_;
  engine::Scope scope_;
};

}  // namespace cnm::remote
