// options.h: what a bridge network can be asked to be.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/json/object.h"

namespace cnm::bridge {

/// The options of a bridge network. The member initialisers are the defaults (cni.md 3.1).
struct Options {
  std::string bridge = "cni0";
  bool is_gateway = false;          ///< the gateway addresses live on the bridge, forwarding is on
  bool is_default_gateway = false;  ///< and the endpoints route everything through it
  bool force_address = false;       ///< replace a conflicting address of the bridge
  bool ip_masq = false;
  std::string ip_masq_backend;  ///< "" = the best there is; "nftables", "iptables"
  uint32_t mtu = 0;             ///< of both veth ends and of a new bridge; 0 = kernel default
  bool hairpin = false;
  bool promiscuous = false;
  uint16_t vlan = 0;            ///< access VLAN (pvid, untagged); 0 = none
  bool trunk_given = false;     ///< an empty trunk still means VLAN filtering
  std::vector<uint16_t> trunk;  ///< tagged VLANs, sorted, unique
  bool preserve_default_vlan = false;
  bool mac_spoof_check = false;
  bool enable_dad = false;
  bool disable_container_interface = false;
  bool port_isolation = false;

  bool vlan_filtering() const { return vlan != 0 || trunk_given; }
  bool operator==(const Options&) const = default;
};

/// Reads the options from an object with CNI's keys: a network configuration, or what Encode wrote
/// into a network record.
/// @throws Error kConfig, kDecode with the reference's words and the JSON path in the details
Options Decode(const json::Object& object);

/// As JSON text; what is at its default is left out, so that equal options are equal texts.
std::string Encode(const Options& options);

}  // namespace cnm::bridge
