// verify.cc: comparing the plan with the kernel.
#include "plugins/meta/bandwidth/verify.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/netlink/filter.h"
#include "common/netlink/qdisc.h"
#include "plugins/meta/bandwidth/plan.h"

namespace cnm::bandwidth {
namespace {

[[noreturn]] void Fail(std::string_view words, std::string details) {
  throw Error(Code::kKernel, std::string(words), std::move(details));
}

template <class Number>
void Compare(std::string_view noun, Number found, Number wanted, const std::string& place) {
  if (found == wanted) return;
  Fail(fmt::format("{} doesn't match", noun),
       fmt::format("{}: it is {}, want {}", place, found, wanted));
}

void Compare(const netlink::TokenBucket& found, const netlink::TokenBucket& wanted,
             const std::string& place) {
  Compare("Rate", found.rate, wanted.rate, place);
  Compare("Limit", found.limit, wanted.limit, place);
  Compare("Buffer", found.buffer, wanted.buffer, place);
}

void VerifyQdisc(const netlink::Qdisc& wanted, const std::string& link, netlink::Socket& host) {
  const std::string place = fmt::format("{} of link {}", wanted.kind, link);
  const auto found = netlink::FindQdisc(host, wanted.ifindex, wanted.parent);
  if (!found || found->kind != wanted.kind) {
    Fail("Failed to find qdisc", fmt::format("{}: {}", place, found ? found->kind : "none"));
  }
  Compare(found->bucket, wanted.bucket, place);
  Compare("Limit", found->limit, wanted.limit, place);
  Compare("Default class", found->default_class, wanted.default_class, place);
}

void VerifyFilters(const Plan& plan, const std::string& link, netlink::Socket& host) {
  if (plan.filters.empty()) return;
  const netlink::Filter& first = plan.filters.front();
  const auto present = netlink::Filters(host, first.ifindex, first.parent);
  for (const netlink::Filter& wanted : plan.filters) {
    const auto is_same = [&](netlink::Filter found) {
      found.handle = wanted.handle;
      return found == wanted;
    };
    if (std::any_of(present.begin(), present.end(), is_same)) continue;
    Fail("Failed to find filter", fmt::format("link {}: u32 of priority {}, protocol {:#06x}", link,
                                              wanted.priority, wanted.protocol));
  }
}

void VerifyToContainer(const Shaping& shaping, netlink::Socket& host) {
  const Plan plan = PlanToContainer(shaping.config, shaping.site);
  const std::string& link = shaping.site.link;
  VerifyQdisc(plan.root, link, host);
  if (plan.shaped_class) {
    const auto found =
        netlink::FindClass(host, plan.shaped_class->ifindex, plan.shaped_class->handle);
    if (!found) Fail("Failed to find qdisc", fmt::format("class of link {}: none", link));
    Compare(found->bucket, plan.shaped_class->bucket, fmt::format("class of link {}", link));
  }
  if (plan.leaf) VerifyQdisc(*plan.leaf, link, host);
  VerifyFilters(plan, link, host);
}

void VerifyFromContainer(const Shaping& shaping, netlink::Socket& host) {
  const Site& site = shaping.site;
  const std::optional<netlink::Link> ifb = host.FindLink(site.ifb);
  if (!ifb) Fail("get ifb device: Link not found", fmt::format("link {}", site.ifb));
  if (!ifb->up()) Fail("get ifb device: it is down", fmt::format("link {}", site.ifb));
  const Plan plan = PlanFromContainer(shaping.config, site, ifb->ifindex);
  VerifyQdisc(plan.root, site.ifb, host);
  VerifyFilters(plan, site.link, host);
}

}  // namespace

void Verify(const Shaping& shaping, netlink::Socket& host) {
  if (shaping.config.ingress.set()) VerifyToContainer(shaping, host);
  if (shaping.config.egress.set()) VerifyFromContainer(shaping, host);
}

}  // namespace cnm::bandwidth
