// config.h: the bridge plugin's configuration.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cnm/address_source.h"
#include "cnm/drivers/bridge/options.h"
#include "common/json/object.h"
#include "common/net/mac.h"

namespace cnm::bridge {

struct Config {
  Options options;
  std::string ipam_type;           ///< "" = layer 2
  std::optional<DnsSettings> dns;  ///< replaces the IPAM's wholly, if any of it is given
  std::optional<net::Mac>
      mac;  ///< CNI_ARGS, then args.cni, then runtimeConfig: the last given wins
};

/// @throws Error kConfig, kDecode with the JSON path
Config DecodeConfig(const json::Object& conf, std::string_view cni_args);

}  // namespace cnm::bridge
