// verify.cc: comparing a link and its sandbox's sysctls with the configuration.
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/netlink/socket.h"
#include "common/netns/sysctl.h"
#include "plugins/meta/tuning/tune.h"

namespace cnm::tuning {
namespace {

/// The words of a value, one space between two: the kernel separates with tabs what people write
/// with spaces.
std::string Words(std::string_view text) {
  std::string words;
  bool between = false;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\t' || c == '\n';
    if (!space && between && !words.empty()) words += ' ';
    if (!space) words += c;
    between = space;
  }
  return words;
}

void VerifySysctl(const Sysctl& sysctl) {
  const std::optional<std::string> value = netns::ReadSysctl(sysctl.name.path());
  if (value && value->empty()) return;  // only written, never read
  if (value && Words(*value) == Words(sysctl.value)) return;
  throw Error(
      Code::kKernel,
      fmt::format("Error: Tuning configured value of /proc/sys/{} is {}, current value is {}",
                  sysctl.name.path(), sysctl.value, value.value_or("absent")),
      sysctl.where);
}

template <class Value>
void VerifyOne(std::string_view what, const std::optional<Value>& wanted, const Value& is) {
  if (!wanted || *wanted == is) return;
  throw Error(Code::kKernel, fmt::format("Error: Tuning configured {} is {}, current value is {}",
                                         what, *wanted, is));
}

std::optional<std::string> TextOf(const std::optional<net::Mac>& mac) {
  if (!mac) return {};
  return mac->ToString();
}

}  // namespace

void Verify(const Config& config, const std::string& ifname) {
  for (const Sysctl& sysctl : config.sysctls) VerifySysctl(sysctl);
  if (!config.ChangesLink()) return;
  const netlink::Link link = netlink::Socket::Open().GetLink(ifname);
  const netlink::LinkChange& wanted = config.link;
  VerifyOne(fmt::format("Ethernet of {}", ifname), TextOf(wanted.mac),
            TextOf(link.mac).value_or("absent"));
  VerifyOne(fmt::format("promisc of {}", ifname), wanted.promiscuous, link.promiscuous());
  VerifyOne(fmt::format("MTU of {}", ifname), wanted.mtu, link.mtu);
  VerifyOne(fmt::format("all-multicast mode of {}", ifname), wanted.all_multicast,
            link.all_multicast());
  VerifyOne(fmt::format("transmit queue length of {}", ifname), wanted.tx_queue_length,
            link.tx_queue_length);
}

}  // namespace cnm::tuning
