// open_controller.cc: the core as the CNI door opens it.
#include "plugins/cni/open_controller.h"

#include <unistd.h>

#include <fmt/format.h>

#include "cnm/lease_source.h"
#include "cnm/teardown.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "plugins/cni/address_source.h"
#include "plugins/cni/valid_attachments.h"

namespace cnm::cni {
Controller OpenController(const Call& call, std::vector<const Driver*> drivers) {
  ControllerOptions options;
  options.door = "cni";
  options.runtime = call.runtime;
  options.holder = fmt::format("{} pid {}", VerbName(call.verb), ::getpid());
  options.drivers = std::move(drivers);
  options.release_addresses = [&call](const std::string& journal) {
    if (LeaseSource::Wrote(journal)) return LeaseSource::FromJournal(journal).Free();
    Delegate::FromJournal(journal, call).Release();
  };
  options.steps = &call.steps;
  options.own_netns = call.own_netns;
  return Controller(std::move(options));
}

EndpointKey KeyOf(const Call& call) {
  return {call.network, call.container_id, call.ifname};
}

Result ToResult(const Attached& attached, const Call& call) {
  Result result;
  for (const AttachedLink& link : attached.links) {
    ResultInterface interface;
    interface.name = link.name;
    if (link.mac) interface.mac = link.mac->ToString();
    if (link.in_sandbox) interface.sandbox = call.netns;
    interface.mtu = link.mtu;
    result.interfaces.push_back(std::move(interface));
  }
  for (const AddressGrant& grant : attached.addressing.addresses) {
    result.ips.push_back({grant.prefix, grant.gateway, static_cast<int>(attached.sandbox_link)});
  }
  result.routes = attached.addressing.routes;
  result.dns = attached.addressing.dns;
  return result;
}

Attached FromPrevResult(const Call& call) {
  if (!call.prev_result) throw Error(Code::kConfig, "Required prevResult missing");
  Attached attached;
  std::optional<size_t> sandbox_link;
  for (const ResultInterface& interface : call.prev_result->interfaces) {
    if (interface.name == call.ifname && !interface.sandbox.empty()) {
      if (interface.sandbox != call.netns) {
        throw Error(Code::kConfig,
                    fmt::format("Sandbox in prevResult {} doesn't match configured netns: {}",
                                interface.sandbox, call.netns));
      }
      sandbox_link = attached.links.size();
    }
    attached.links.push_back({interface.name, net::Mac::Parse(interface.mac), interface.mtu,
                              !interface.sandbox.empty()});
  }
  if (!sandbox_link) {
    throw Error(Code::kConfig, fmt::format("Interface {} not found in prevResult", call.ifname),
                "$.prevResult");
  }
  attached.sandbox_link = *sandbox_link;
  for (const ResultAddress& ip : call.prev_result->ips) {
    if (ip.interface_index && static_cast<size_t>(*ip.interface_index) != *sandbox_link) continue;
    attached.addressing.addresses.push_back({ip.address, ip.gateway});
  }
  attached.addressing.routes = call.prev_result->routes;
  return attached;
}

std::string IpamType(const json::Object& conf) {
  std::string type;
  if (const auto ipam = conf.OptionalObject("ipam")) ipam->Optional("type", type);
  return type;
}

std::vector<EndpointKey> KeysOf(const Call& call, Controller& controller) {
  if (!call.network.empty()) return {KeyOf(call)};
  std::vector<EndpointKey> keys;
  for (const Endpoint& e : controller.FindEndpoints(call.container_id, call.ifname)) {
    keys.push_back(e.key);
  }
  return keys;
}

GarbageRequest ToGarbageRequest(const Call& call) {
  GarbageRequest request;
  request.network = call.network;
  if (const auto attachments = DecodeValidAttachments(*call.conf)) {
    request.valid.emplace();
    for (const Attachment& a : *attachments) {
      request.valid->push_back({call.network, a.container_id, a.ifname});
    }
  }
  return request;
}

void Report(const GarbageReport& report, const Call& call, Teardown& teardown) {
  for (const GarbageReport::Item& item : report.kept) {
    if (item.endpoint.runtime == call.runtime) continue;
    Warn(fmt::format("GC of network {}: kept {} of container {}: {}", call.network,
                     item.endpoint.key.ifname, item.endpoint.key.container_id, item.why));
  }
  for (const Error& error : report.errors) {
    teardown.TryUnwrapped([&] { throw error; });
  }
}

void Detach(const Call& call, const Driver& driver) {
  std::optional<netns::NetNs> sandbox;
  if (!call.netns.empty()) sandbox = netns::NetNs::TryOpen(call.netns);
  Controller controller = OpenController(call, {&driver});
  const std::vector<EndpointKey> keys = KeysOf(call, controller);
  std::unique_ptr<Delegate> source;
  Teardown teardown;
  if (call.conf) {
    teardown.TryUnwrapped([&] {
      const std::string type = IpamType(*call.conf);
      if (!type.empty()) source = std::make_unique<Delegate>(call, type);
    });
    if (!teardown.ok()) Warn("$.ipam is not understood: no address is released without a record");
  }
  Teardown removal;
  for (const EndpointKey& key : keys) {
    removal.TryUnwrapped([&] { controller.Detach(key, driver.type(), sandbox, source.get()); });
  }
  removal.ThrowIfFailed();
}

void CollectGarbage(const Call& call, const Driver& driver) {
  Controller controller = OpenController(call, {&driver});
  Teardown teardown;
  teardown.TryUnwrapped(
      [&] { Report(controller.CollectGarbage(ToGarbageRequest(call)), call, teardown); });
  const std::string type = IpamType(*call.conf);
  if (!type.empty()) teardown.TryUnwrapped([&] { DelegateGc(call, type); });
  teardown.ThrowIfFailed();
}

}  // namespace cnm::cni
