// host_kernel.cc: the host's side of the kernel edge, opened when first needed.
#include "cnm/host_kernel.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <chrono>
#include <exception>
#include <future>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/base/fd.h"

namespace cnm {
namespace {

constexpr std::chrono::seconds kRemoval{20};

/// A removal that another thread asks the kernel for.
class LinkRemoval {
 public:
  LinkRemoval() : news_(::eventfd(0, EFD_CLOEXEC)) {
    if (!news_) throw SystemError(Code::kIo, "make an eventfd", errno);
  }
  void Perform(int ifindex) {
    try {
      netlink::Socket::Open().Execute(netlink::RemoveLink(ifindex));
      answer_.set_value();
    } catch (...) {
      answer_.set_exception(std::current_exception());
    }
    (void)::eventfd_write(news_.get(), 1);
  }
  /// Can be read once there is an answer.
  int news() const { return news_.get(); }
  bool IsAnswered() const {
    return answered_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  }
  void ThrowIfFailed() { answered_.get(); }

 private:
  Fd news_;
  std::promise<void> answer_;
  std::future<void> answered_ = answer_.get_future();
};

}  // namespace

/// Closing a packet filter from which something was removed waits for a grace period too.
HostKernel::~HostKernel() {
  if (!background_) return;
  if (firewalls_.empty() && !probe_.IsOpen()) return;
  background_->Run([filters = std::make_shared<decltype(firewalls_)>(std::move(firewalls_)),
                    probe = std::make_shared<firewall::FilterProbe>(std::move(probe_))] {});
}

netlink::Socket& HostKernel::links() {
  if (!links_) links_ = netlink::Socket::Open();
  return *links_;
}

void HostKernel::RemoveLink(int ifindex) {
  if (!background_) {
    links().Execute(netlink::RemoveLink(ifindex));
    return;
  }
  const auto removal = std::make_shared<LinkRemoval>();
  background_->Run([ifindex, removal] { removal->Perform(ifindex); });
  // The kernel tells everybody that the link is gone before it starts to wait.
  const auto is_refused = [&](const netlink::Link&) { return removal->IsAnswered(); };
  const bool refused = links().WaitForLink(ifindex, is_refused, kRemoval, removal->news());
  if (refused) return removal->ThrowIfFailed();
  if (!links().FindLink(ifindex)) return;
  throw Error(Code::kKernel,
              fmt::format("link {} is still there after {} s", ifindex, kRemoval.count()));
}

firewall::Firewall& HostKernel::firewall(std::string_view backend) {
  for (const auto& open : firewalls_) {
    if (open->name() == backend) return *open;
  }
  return *firewalls_.emplace_back(firewall::Open(backend, ledger_));
}

std::string HostKernel::DefaultBackend() {
  return firewall("nftables").IsPresent() ? "nftables" : "iptables";
}

}  // namespace cnm
