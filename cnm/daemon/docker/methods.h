// methods.h: the plugin protocol's methods: each takes the request's object and gives the answer's
// text.
#pragma once

#include <string>
#include <string_view>

#include "cnm/daemon/docker/adaptor.h"
#include "common/json/object.h"

namespace cnm::docker {

using Method = std::string (*)(const Backend& backend, const json::Object& request);

/// The method called "NetworkDriver.Join"; nullptr if there is none.
Method FindNetworkMethod(std::string_view name);
/// The method called "IpamDriver.RequestPool"; nullptr if there is none.
Method FindIpamMethod(std::string_view name);

/// The text under `key`, which must be there and not empty. @throws Error kConfig "$.NetworkID:
/// ..."
std::string RequiredText(const json::Object& request, std::string_view key);

}  // namespace cnm::docker
