// option_names.h: what the options of our own network drivers and IPAM are called, and finding the
// names that are none (libnetwork.md §10.1, B.4).
#pragma once

#include <string_view>

#include "cnm/engine/ipam_driver.h"
#include "cnm/engine/labels.h"
#include "common/json/object.h"

namespace cnm::engine {

/// One option under its two names.
struct OptionNames {
  std::string_view label;  ///< Docker's; "" = only libnetwork's
  std::string_view key;    ///< libnetwork's; "" = only Docker's
};
inline constexpr OptionNames kNetworkNames{kNetworkOption, ""};
inline constexpr OptionNames kBridgeNames{"com.docker.network.bridge.name", "BridgeName"};
inline constexpr OptionNames kMtuNames{"com.docker.network.driver.mtu", "Mtu"};
inline constexpr OptionNames kMasqueradeNames{"com.docker.network.bridge.enable_ip_masquerade",
                                              "EnableIPMasquerade"};
inline constexpr OptionNames kIccNames{"com.docker.network.bridge.enable_icc", "EnableICC"};
inline constexpr OptionNames kBareNames{"com.docker.network.bridge.inhibit_ipv4", ""};
inline constexpr OptionNames kBindingNames{"com.docker.network.bridge.host_binding_ipv4",
                                           "DefaultBindingIP"};
inline constexpr OptionNames kIpv6Names{kEnableIpv6Label, "EnableIPv6"};
inline constexpr OptionNames kInternalNames{kInternalLabel, ""};
inline constexpr OptionNames kAddressNames{"", "AddressIPv4"};
inline constexpr OptionNames kFixedNames{"", "FixedCIDR"};
inline constexpr OptionNames kFixedIpv6Names{"", "FixedCIDRv6"};
inline constexpr OptionNames kGatewayNames{"", "DefaultGatewayIPv4"};
inline constexpr OptionNames kGatewayIpv6Names{"", "DefaultGatewayIPv6"};

/// All three look at the members' names alone and throw Error kConfig
/// `$.driver_opts["com.docker.network.driver.mtuu"]: unknown option of driver bridge, did you mean
/// com.docker.network.driver.mtu?`, with the known ones in its details. Labels of other people,
/// which have a '.' and resemble none of ours, pass.

/// The options of a network of this type. Of drivers that are not ours everything passes.
void CheckDriverOptions(const json::Object& options, std::string_view type);
/// Only "cnm." options: Docker's own driver takes any other name, and its users set what is not
/// ours.
void CheckOwnOptions(const json::Object& options);
/// Labels of the network itself.
void CheckNetworkLabels(const json::Object& labels);
/// The options of an IPAM driver; of one that is not ours everything passes.
void CheckIpamOptions(const json::Object& options, std::string_view ipam);

}  // namespace cnm::engine
