// nftables.cc: the packet filter backend that speaks nf_tables over netlink. How it adds is told in
// assembly.cc, what it builds in schema.cc, how it removes in removal.cc.
#include "common/firewall/nftables/nftables.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/firewall/nftables/assembly.h"
#include "common/firewall/nftables/foreign.h"
#include "common/firewall/nftables/inventory.h"
#include "common/firewall/nftables/listing.h"
#include "common/firewall/nftables/removal.h"
#include "common/firewall/nftables/verification.h"
#include "common/netlink/channel.h"

namespace cnm::firewall {
namespace {

class Nftables : public Firewall {
 public:
  explicit Nftables(Ledger ledger) : ledger_(std::move(ledger)) {}

  std::string_view name() const override { return "nftables"; }
  bool IsPresent() override { return HasOpened() && nftables::HasGeneration(*channel_); }
  void Add(const Rules& rules) override { nftables::Assembly(channel(), ledger_).Add(rules); }
  void Remove(const Rules& rules) override { nftables::RemoveExactly(channel(), rules); }
  size_t RemoveByOwner(std::string_view owner) override {
    return nftables::RemoveOwned(channel(), owner);
  }
  void ForgetSubnets(const std::vector<net::Prefix>& subnets) override {
    nftables::RemoveUnused(channel(), subnets);
  }
  void RemoveForeign(const Foreign& foreign) override {
    nftables::RemoveLeavings(channel(), foreign);
  }
  void Verify(const Rules& rules) override { nftables::VerifyRules(channel(), rules); }
  void Rebuild() override { nftables::Assembly(channel(), ledger_).Rebuild(); }
  std::vector<Programmed> List() override { return nftables::ListProgrammed(channel()); }

 private:
  netlink::Channel& channel();
  bool HasOpened();

  Ledger ledger_;
  std::optional<netlink::Channel> channel_;
};

netlink::Channel& Nftables::channel() {
  if (channel_) return *channel_;
  channel_ = netlink::Channel::Open(NETLINK_NETFILTER);
  // A transaction may be refused in more messages than the buffer takes. The first of them say
  // enough for the next attempt, so the loss of the rest is no error.
  const int on = 1;
  (void)::setsockopt(channel_->fd(), SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof on);
  return *channel_;
}

/// Whether the kernel has the socket.
bool Nftables::HasOpened() {
  try {
    channel();
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

bool HasNftables() {
  return Nftables({}).IsPresent();
}

bool HasNftables(netlink::Channel& netfilter) {
  return nftables::HasGeneration(netfilter);
}

std::unique_ptr<Firewall> MakeNftables(Ledger ledger) {
  return std::make_unique<Nftables>(std::move(ledger));
}

}  // namespace cnm::firewall
