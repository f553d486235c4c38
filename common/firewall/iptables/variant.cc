// variant.cc: which of the two packet filters that programs named iptables change the host uses.
#include "common/firewall/iptables/variant.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <climits>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/base/fd.h"
#include "common/base/search_path.h"
#include "common/firewall/nft_table.h"
#include "common/netlink/channel.h"

namespace cnm::firewall::iptables {
namespace {

std::string TableNames(net::Family family) {
  const bool v4 = family == net::Family::kIpv4;
  return ReadFile(v4 ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names").value_or("");
}

bool IsNftInUse() {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!fd) return false;
  netlink::Channel netfilter(std::move(fd));
  return UsesNft(netfilter);
}

/// Whether the program that people call iptables is the nft variant.
bool IsNftProgram(const std::string& program) {
  char* const real = ::realpath(program.c_str(), nullptr);
  const std::string path = real != nullptr ? real : program;
  ::free(real);  // NOLINT(cppcoreguidelines-no-malloc): what realpath(3) gives
  return path.substr(path.rfind('/')).find("nft") != std::string::npos;
}

}  // namespace

bool UsesNft(netlink::Channel& netfilter) {
  for (const net::Family family : net::kFamilies) {
    for (const std::string_view table : {"filter", "nat"}) {
      if (HasNftTable(netfilter, static_cast<uint8_t>(family), table)) return true;
    }
  }
  return false;
}

bool UsesLegacy() {
  return !TableNames(net::Family::kIpv4).empty() || !TableNames(net::Family::kIpv6).empty();
}

bool HasLegacyTable(net::Family family, std::string_view table) {
  const std::string names = "\n" + TableNames(family);
  return names.find("\n" + std::string(table) + "\n") != std::string::npos;
}

std::unique_ptr<Variant> FindVariant() {
  if (IsNftInUse()) return MakeNftVariant();
  if (UsesLegacy()) return MakeLegacyVariant();
  const std::optional<std::string> program = FindProgram("iptables");
  if (!program) return nullptr;
  return IsNftProgram(*program) ? MakeNftVariant() : MakeLegacyVariant();
}

std::unique_ptr<Variant> OpenVariant() {
  std::unique_ptr<Variant> variant = FindVariant();
  if (variant != nullptr) return variant;
  throw Error(Code::kUnavailable, "find iptables: no such program",
              "no variant of it is in use here, and it is not in PATH");
}

}  // namespace cnm::firewall::iptables

namespace cnm::firewall {

bool HasIptablesTables() {
  return iptables::IsNftInUse() || iptables::UsesLegacy();
}

}  // namespace cnm::firewall
