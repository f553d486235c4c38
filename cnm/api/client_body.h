// client_body.h: what the REST API's client writes and reads; pure. Private to cnm/api.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cnm/api/client.h"

namespace cnm::api {

/// Bodies of requests. Members that are defaults are left out, but for those libnetwork's own
/// client always sent.
std::string EncodeNetworkRequest(const NetworkRequest& request);
/// `network`: the name, for a service.
std::string EncodeServiceRequest(const EndpointRequest& request, const std::string& network);
std::string EncodeSandboxRequest(const SandboxRequest& request);
std::string EncodeJoinRequest(const std::string& sandbox_id,
                              const std::vector<std::string>& aliases);

/// Bodies of answers. Lists may be null. @throws Error kDecode
std::vector<NetworkView> DecodeNetworks(std::string_view body);
std::vector<ServiceView> DecodeServices(std::string_view body);
std::vector<SandboxView> DecodeSandboxes(std::string_view body);
NetworkView DecodeNetwork(std::string_view body);
ServiceView DecodeService(std::string_view body);
SandboxView DecodeSandbox(std::string_view body);
/// A JSON string.
std::string DecodeText(std::string_view body);

}  // namespace cnm::api
