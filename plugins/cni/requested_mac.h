// requested_mac.h: the MAC address that a call asks for.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>

#include "common/json/object.h"
#include "common/net/mac.h"

namespace cnm::cni {

/// Where a call may name it.
enum class MacSource {
  kConfig,   ///< $.mac
  kCniArgs,  ///< MAC in CNI_ARGS
  kArgs,     ///< $.args.cni.mac
  kRuntime,  ///< $.runtimeConfig.mac
};

/// The address that the last of `sources` names; "" names none. The order is the plugin's: that of
/// bridge and that of tuning differ.
/// @throws Error kConfig "invalid args x for MAC addr: ..." with the place, also for a group
/// address and for zero, which no station has; kEnvironment for CNI_ARGS that do not parse
std::optional<net::Mac> RequestedMac(const json::Object& conf, std::string_view cni_args,
                                     std::initializer_list<MacSource> sources);

}  // namespace cnm::cni
