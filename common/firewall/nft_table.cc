// nft_table.cc: whether nf_tables has a table, whoever's it is.
#include "common/firewall/nft_table.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cerrno>

#include "common/netlink/attributes.h"
#include "common/netlink/request.h"

namespace cnm::firewall {

bool HasNftTable(netlink::Channel& channel, uint8_t family, std::string_view name) {
  netlink::Request request("look for an nftables table",
                           NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, 0);
  // All but the first: a kernel without nf_tables.
  for (const int err : {ENOENT, EINVAL, EOPNOTSUPP, EPROTONOSUPPORT, EAFNOSUPPORT}) {
    request.Tolerate(err);
  }
  netlink::AppendHeader(request, nfgenmsg{family, NFNETLINK_V0, 0});
  netlink::PutText(request, NFTA_TABLE_NAME, name);
  return channel.Ask(request, [](const nlmsghdr&) {}) == 0;
}

}  // namespace cnm::firewall
