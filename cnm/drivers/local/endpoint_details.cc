// endpoint_details.cc: what the local driver keeps with an endpoint's record.
#include "cnm/drivers/local/endpoint_details.h"

#include "cnm/engine/labels.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm::local {

std::string Encode(const EndpointDetails& details) {
  json::Writer w;
  w.BeginObject().Member("networkID", details.network_id).Member("created", details.created);
  w.Member("macGiven", details.mac_given);
  engine::EncodeExposedPorts(details.exposed, w.Key("exposed"));
  engine::EncodePortBindings(details.bindings, w.Key("bindings"));
  return w.EndObject().Take();
}

EndpointDetails DetailsOf(const Endpoint& endpoint) {
  EndpointDetails details;
  if (endpoint.details.empty()) return details;
  const json::Object o = json::Parse(endpoint.details, "endpoint details");
  o.Optional("networkID", details.network_id);
  o.Optional("created", details.created);
  o.Optional("macGiven", details.mac_given);
  details.exposed = engine::DecodeExposedPorts(o, "exposed");
  details.bindings = engine::DecodePortBindings(o, "bindings");
  return details;
}

std::string EncodePublished(const std::vector<engine::PortBinding>& bindings) {
  json::Writer w;
  engine::EncodePortBindings(bindings, w.BeginObject().Key("bindings"));
  return w.EndObject().Take();
}

std::vector<engine::PortBinding> PublishedBy(const Endpoint& endpoint) {
  for (const Attachment& attachment : endpoint.attachments) {
    if (attachment.plugin != kPortsPlugin || attachment.state.empty()) continue;
    return engine::DecodePortBindings(json::Parse(attachment.state, "published ports"), "bindings");
  }
  return {};
}

engine::Interface InterfaceOf(const Endpoint& endpoint) {
  engine::Interface interface { .mac = endpoint.mac };
  for (const AddressGrant& grant : endpoint.addressing.addresses) {
    (grant.prefix.address.is_v4() ? interface.address : interface.address_ipv6) = grant.prefix;
  }
  return interface;
}

}  // namespace cnm::local
