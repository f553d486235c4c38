// body.h: the JSON bodies of the REST API's requests (libnetwork.md §1.2, B.4).
#pragma once

#include <string>
#include <string_view>

#include "cnm/engine/engine.h"

namespace cnm::api {

/// An endpoint or service to make.
struct EndpointBody {
  engine::EndpointSpec spec;
  std::string network;  ///< network_name of a service; "" = the default network
};

/// A sandbox to join: of Join and Attach.
struct JoinBody {
  std::string sandbox_id;
  engine::JoinSpec spec;
};

/// All @throws Error kDecode or kConfig "Invalid body: reason" for what is no JSON object of UTF-8,
/// and for members of another type; unknown members are ignored. Keys match as Go matches them.

/// @param default_driver of a network without network_type
/// A bridge network gets the options of §1.4 where the client gave none: its bridge is named as it
/// is, and may have any name. `driver_opts` count as options under "com.docker.network.generic".
engine::NetworkSpec DecodeNetworkBody(std::string_view body, std::string_view default_driver);
EndpointBody DecodeEndpointBody(std::string_view body);
JoinBody DecodeJoinBody(std::string_view body);
engine::SandboxSpec DecodeSandboxBody(std::string_view body);
/// `force` of {"name", "force"}; a request to delete may have no body.
bool DecodeForce(std::string_view body);

}  // namespace cnm::api
