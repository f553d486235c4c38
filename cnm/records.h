// records.h: networks and endpoints as JSON documents.
#pragma once

#include <string>
#include <string_view>

#include "cnm/endpoint.h"
#include "cnm/network.h"

namespace cnm {

/// The schema number written into every record. A record of a newer one is never decoded, changed
/// or removed.
inline constexpr int64_t kRecordSchema = 1;

std::string Encode(const Network& network);
std::string Encode(const Endpoint& endpoint);

/// @throws Error kDecode when it is not such a record; kTryAgain when its schema is newer than ours
Network DecodeNetwork(std::string_view json);
Endpoint DecodeEndpoint(std::string_view json);

}  // namespace cnm
