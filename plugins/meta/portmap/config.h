// config.h: the portmap plugin's configuration.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/json/object.h"
#include "plugins/meta/portmap/mapping.h"

namespace cnm::portmap {

struct Config {
  std::string backend;  ///< "nftables", "iptables"; "" = the best there is
  bool snat = true;
  bool masquerade_all = false;
  uint8_t mark_bit = 13;
  std::string mark_chain;  ///< "" = our own
  std::vector<std::string> conditions_v4;
  std::vector<std::string> conditions_v6;
  std::vector<Mapping> mappings;
};

/// The backend is the one whose language the options speak, if they do.
/// @throws Error kDecode, kConfig, in the reference's words where it has any (PM-1, PM-2), the JSON
/// path in the details
Config DecodeConfig(const json::Object& conf);

}  // namespace cnm::portmap
