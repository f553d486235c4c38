// shape.cc: making what the plan says, and taking it away.
#include "plugins/meta/bandwidth/shape.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "cnm/id.h"
#include "cnm/owned_link.h"
#include "common/base/error.h"
#include "common/netlink/filter.h"
#include "common/netlink/ifb.h"
#include "common/netlink/qdisc.h"
#include "plugins/meta/bandwidth/plan.h"

namespace cnm::bandwidth {
namespace {

/// Where the steps of one Apply happen.
struct Bench {
  netlink::Socket& host;
  Rollback& undo;
};

/// Sends it; `step` is the reference's name for what failed.
void Execute(std::string_view step, const netlink::Request& request, netlink::Socket& host) {
  try {
    host.Execute(request);
  } catch (Error& e) {
    e.AddContext(step);
    throw;
  }
}

void RemoveIfb(const std::string& name, std::string_view owner, netlink::Socket& host) {
  const std::optional<netlink::Link> link = host.FindLink(name);
  if (link && IsOwnedLink(*link, owner, AttachedLinkMac(owner)))
    host.Execute(netlink::RemoveLink(link->ifindex));
}

/// @returns its ifindex
int EnsureIfb(const Site& site, std::string_view owner, const Bench& bench) {
  std::optional<netlink::Link> link = bench.host.FindLink(site.ifb);
  bench.undo.Push("ifb", [&site, owner, &host = bench.host] { RemoveIfb(site.ifb, owner, host); });
  if (!link || !IsOwnedLink(*link, owner, AttachedLinkMac(owner))) {
    Execute("adding link", netlink::CreateIfb({site.ifb, AttachedLinkMac(owner), site.mtu}),
            bench.host);
    link = bench.host.GetLink(site.ifb);
  }
  if (link->alias.empty()) {
    netlink::LinkChange mark;
    mark.alias = owner;
    Execute("adding link", netlink::ChangeLink(link->ifindex, mark), bench.host);
  }
  return link->ifindex;
}

void EnsureQdisc(std::string_view step, const netlink::Qdisc& wanted, const Bench& bench) {
  const auto found = netlink::FindQdisc(bench.host, wanted.ifindex, wanted.parent);
  if (found && *found != wanted) {
    throw Error(
        Code::kExists, fmt::format("{}: file exists", step),
        fmt::format("link {} has a {} qdisc already that is another", wanted.ifindex, found->kind));
  }
  bench.undo.Push(std::string(step),
                  [wanted, &host = bench.host] { host.Execute(netlink::RemoveQdisc(wanted)); });
  if (!found) Execute(step, netlink::AddQdisc(wanted), bench.host);
}

/// The same but for the handle, which the kernel gave; a redirection may have lost its target.
bool IsSame(const netlink::Filter& wanted, netlink::Filter found) {
  found.handle = wanted.handle;
  if (found.redirect == 0) found.redirect = wanted.redirect;
  return found == wanted;
}

void RemoveFilter(const netlink::Filter& wanted, const std::vector<netlink::Filter>& present,
                  netlink::Socket& host) {
  for (const netlink::Filter& filter : present) {
    if (IsSame(wanted, filter)) host.Execute(netlink::RemoveFilter(filter));
  }
}

void EnsureFilter(const netlink::Filter& wanted, const std::vector<netlink::Filter>& present,
                  const Bench& bench) {
  bench.undo.Push("filter", [wanted, &host = bench.host] {
    RemoveFilter(wanted, netlink::Filters(host, wanted.ifindex, wanted.parent), host);
  });
  const auto is_same = [&](const netlink::Filter& found) { return IsSame(wanted, found); };
  if (std::any_of(present.begin(), present.end(), is_same)) return;
  Execute("add filter", netlink::AddFilter(wanted), bench.host);
}

void EnsureFilters(const Plan& plan, const Bench& bench) {
  if (plan.filters.empty()) return;
  const netlink::Filter& first = plan.filters.front();
  const auto present = netlink::Filters(bench.host, first.ifindex, first.parent);
  for (const netlink::Filter& filter : plan.filters) EnsureFilter(filter, present, bench);
}

void ApplyPlan(const Plan& plan, std::string_view root_step, const Bench& bench) {
  EnsureQdisc(root_step, plan.root, bench);
  if (plan.shaped_class) {
    const netlink::TrafficClass& wanted = *plan.shaped_class;  // it goes with the root
    if (!netlink::FindClass(bench.host, wanted.ifindex, wanted.handle)) {
      Execute("create class", netlink::AddClass(wanted), bench.host);
    }
  }
  if (plan.leaf) EnsureQdisc("create leaf qdisc", *plan.leaf, bench);
  if (plan.ingress) EnsureQdisc("create ingress qdisc", *plan.ingress, bench);
  EnsureFilters(plan, bench);
}

/// The kernel has changed it when a root qdisc came.
void RestoreTxQueueLength(const Site& site, netlink::Socket& host) {
  netlink::LinkChange change;
  change.tx_queue_length = site.tx_queue_length;
  host.Execute(netlink::ChangeLink(site.ifindex, change));
}

void RemoveRoot(const Shaping& shaping, netlink::Socket& host) {
  const netlink::Qdisc root = PlanToContainer(shaping.config, shaping.site).root;
  const auto found = netlink::FindQdisc(host, root.ifindex, root.parent);
  const bool ours = found && found->kind == root.kind;
  // Without one, a removal may have been killed before it came to the queue's length.
  const bool bare = !found || found->kind == "noqueue";
  if (ours) host.Execute(netlink::RemoveQdisc(root));
  if (ours || bare) RestoreTxQueueLength(shaping.site, host);
}

void RemoveIngress(const Shaping& shaping, netlink::Socket& host) {
  const std::optional<netlink::Link> ifb = host.FindLink(shaping.site.ifb);
  const Plan plan = PlanFromContainer(shaping.config, shaping.site, ifb ? ifb->ifindex : 0);
  const int ifindex = shaping.site.ifindex;
  const auto present = netlink::Filters(host, ifindex, plan.filters.front().parent);
  for (const netlink::Filter& filter : plan.filters) RemoveFilter(filter, present, host);
  if (!plan.ingress) return;
  // Somebody may have added filters to it meanwhile.
  if (netlink::Filters(host, ifindex, netlink::kIngressFilters).empty()) {
    host.Execute(netlink::RemoveQdisc(*plan.ingress));
  }
}

}  // namespace

void Apply(const Shaping& shaping, std::string_view owner, netlink::Socket& host, Rollback& undo) {
  const Bench bench{host, undo};
  if (shaping.config.ingress.set()) {
    undo.Push("txqueuelen", [&shaping, &host] { RestoreTxQueueLength(shaping.site, host); });
    ApplyPlan(PlanToContainer(shaping.config, shaping.site), "create qdisc", bench);
  }
  if (shaping.config.egress.set()) {
    const int ifb = EnsureIfb(shaping.site, owner, bench);
    ApplyPlan(PlanFromContainer(shaping.config, shaping.site, ifb), "create ifb qdisc", bench);
  }
}

void Remove(const Shaping& shaping, netlink::Socket& host) {
  const std::optional<netlink::Link> link = host.FindLink(shaping.site.ifindex);
  if (!link || link->name != shaping.site.link) return;
  if (shaping.config.egress.set()) RemoveIngress(shaping, host);
  if (shaping.config.ingress.set()) RemoveRoot(shaping, host);
}

void RemoveUnrecordedIfbs(const EndpointKey& key, netlink::Socket& host) {
  const std::string owner = OwnerOf(key.network, key.container_id, key.ifname);
  const std::string reference = ReferenceIfbName(key);
  for (const std::string& name : {reference, OwnIfbName(owner)}) {
    const std::optional<netlink::Link> link = host.FindLink(name);
    if (!link || link->kind != "ifb") continue;
    const bool is_reference = name == reference && link->alias.empty();
    if (is_reference || IsOwnedLink(*link, owner, AttachedLinkMac(owner))) {
      host.Execute(netlink::RemoveLink(link->ifindex));
    }
  }
}

}  // namespace cnm::bandwidth
