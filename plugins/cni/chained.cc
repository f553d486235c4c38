// chained.cc: what plugins that run behind another one in a chain have in common.
#include "plugins/cni/chained.h"

#include <utility>

#include "common/base/error.h"
#include "common/netns/netns.h"
#include "plugins/cni/open_controller.h"

namespace cnm::cni {
namespace {

bool IsOfThisInterface(const ResultAddress& ip, const Call& call) {
  const std::vector<ResultInterface>& interfaces = call.prev_result->interfaces;
  if (!ip.interface_index || *ip.interface_index < 0) return true;
  const auto index = static_cast<size_t>(*ip.interface_index);
  if (index >= interfaces.size()) return true;
  return interfaces[index].name == call.ifname && !interfaces[index].sandbox.empty();
}

}  // namespace

const Result& RequirePrevResult(const Call& call, std::string_view message) {
  if (call.prev_result) return *call.prev_result;
  throw Error(Code::kConfig, std::string(message), "$.prevResult");
}

std::vector<net::Prefix> SandboxAddresses(const Call& call) {
  std::vector<net::Prefix> addresses;
  if (!call.prev_result) return addresses;
  for (const ResultAddress& ip : call.prev_result->ips) {
    if (IsOfThisInterface(ip, call)) addresses.push_back(ip.address);
  }
  return addresses;
}

AttachmentSpec MakeAttachmentSpec(const Call& call, std::string_view plugin) {
  AttachmentSpec spec;
  spec.key = KeyOf(call);
  spec.plugin = plugin;
  spec.sandbox = {.path = call.netns, .identity = netns::NetNs::Open(call.netns).identity()};
  for (const net::Prefix& address : SandboxAddresses(call)) {
    spec.addressing.addresses.push_back({address, {}});
  }
  return spec;
}

void RemoveAttachments(const Call& call, RemovalSpec spec) {
  Controller controller = OpenController(call, {});
  if (spec.foreign) {
    spec.foreign->network = call.network;
    spec.foreign->container_id = call.container_id;
    spec.foreign->ifname = call.ifname;
  }
  if (call.network.empty()) spec.foreign.reset();  // its names are made of the network's
  Teardown removal;
  for (EndpointKey& key : KeysOf(call, controller)) {
    spec.key = std::move(key);
    removal.TryUnwrapped([&] { controller.RemoveAttachments(spec); });
  }
  removal.ThrowIfFailed();
}

void CollectAttachments(const Call& call, std::string_view plugin,
                        std::function<void(const Attachment&)> restore) {
  Controller controller = OpenController(call, {});
  GarbageRequest request = ToGarbageRequest(call);
  request.plugin = plugin;
  request.restore = std::move(restore);
  Teardown teardown;
  Report(controller.CollectGarbage(request), call, teardown);
  teardown.ThrowIfFailed();
}

}  // namespace cnm::cni
