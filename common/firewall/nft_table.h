// nft_table.h: whether nf_tables has a table, whoever's it is. Internal to this folder.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/netlink/channel.h"

namespace cnm::firewall {

/// `family`: NFPROTO_*. False also on a kernel without nf_tables. @throws Error kKernel
bool HasNftTable(netlink::Channel& channel, uint8_t family, std::string_view name);

}  // namespace cnm::firewall
