// bridge.cc: an adapter: CNI in, the core's words out. What a bridge network does is in
// cnm/drivers/bridge, the same for every front door.
//
//      container              host
//   +-----------+     +---------------------+
//   | eth0 -----|-----|- veth<owner> - cni0 -|--- other containers
//   +-----------+     +---------------------+
//
// https://www.cni.dev/plugins/current/main/bridge/
#include "plugins/main/bridge/bridge.h"

#include <memory>

#include "cnm/drivers/bridge/driver.h"
#include "cnm/id.h"
#include "common/netns/netns.h"
#include "plugins/cni/address_source.h"
#include "plugins/cni/open_controller.h"
#include "plugins/main/bridge/config.h"

namespace cnm::bridge {
namespace {

constinit const BridgeDriver kDriver;

Network ToNetwork(const Config& config, const cni::Call& call) {
  return {.name = call.network,
          .id = NetworkId(call.network),
          .driver = std::string(kDriver.type()),
          .options = Encode(config.options)};
}

std::unique_ptr<cni::Delegate> Ipam(const Config& config, const cni::Call& call) {
  if (config.ipam_type.empty()) return nullptr;
  return std::make_unique<cni::Delegate>(call, config.ipam_type);
}

cni::Result Add(const cni::Call& call) {
  const Config config = DecodeConfig(*call.conf, call.args);
  cni::WarnUnknownKeys(call);
  const netns::NetNs sandbox = netns::NetNs::Open(call.netns);
  Controller controller = cni::OpenController(call, {&kDriver});
  const Network network = ToNetwork(config, call);
  const std::unique_ptr<cni::Delegate> ipam = Ipam(config, call);
  EndpointSpec spec;
  spec.key = cni::KeyOf(call);
  spec.sandbox_path = call.netns;
  spec.mac = config.mac;
  Attached attached = controller.Attach(network, spec, sandbox, ipam.get());
  if (config.dns) attached.addressing.dns = *config.dns;
  return cni::ToResult(attached, call);
}

void Del(const cni::Call& call) {
  cni::Detach(call, kDriver);
}

void Check(const cni::Call& call) {
  const Config config = DecodeConfig(*call.conf, call.args);
  const netns::NetNs sandbox = netns::NetNs::Open(call.netns);
  const Attached expected = cni::FromPrevResult(call);
  Controller controller = cni::OpenController(call, {&kDriver});
  controller.Check(ToNetwork(config, call), cni::KeyOf(call), expected, sandbox,
                   Ipam(config, call).get());
}

void Gc(const cni::Call& call) {
  cni::CollectGarbage(call, kDriver);
}

void Status(const cni::Call& call) {
  const Config config = DecodeConfig(*call.conf, call.args);
  cni::WarnUnknownKeys(call);
  cni::OpenController(call, {&kDriver}).Ready(ToNetwork(config, call));
  if (!config.ipam_type.empty()) cni::DelegateStatus(call, config.ipam_type);
}

}  // namespace

constexpr cni::Plugin kPlugin{
    .name = "bridge", .add = Add, .del = Del, .check = Check, .gc = Gc, .status = Status};

}  // namespace cnm::bridge
