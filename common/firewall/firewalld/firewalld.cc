// firewalld.cc: the packet filter backend that asks firewalld to trust addresses.
//
// The D-Bus library is not one for static programs, so cnm-firewalld (program/main.cc) speaks for
// us. It is told a verb as its argument and a line "ZONE SOURCE" for each address on stdin; on
// stdout it gives lines of the same form, or one line that says what failed.
#include "common/firewall/firewalld/firewalld.h"

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/subprocess.h"
#include "common/firewall/companion.h"
#include "common/firewall/firewalld/exit_status.h"
#include "common/firewall/nft_table.h"
#include "common/netlink/attributes.h"
#include "common/netlink/channel.h"

namespace cnm::firewall {
namespace {

constexpr std::string_view kProgram = "cnm-firewalld";
constexpr const char* kDaemon = "/usr/sbin/firewalld";
constexpr const char* kDaemonConfig = "/etc/firewalld/firewalld.conf";
constexpr const char* kBus = "/run/dbus/system_bus_socket";
constexpr const char* kBusVariable = "DBUS_SYSTEM_BUS_ADDRESS";

constexpr uint8_t kInet = 1;  // NFPROTO_INET; its header clashes with libc's netinet/in.h

constexpr unsigned kSeconds = 20;
/// firewalld takes some 20 ms for a source; a reload may bring thousands.
constexpr size_t kSourcesPerSecond = 20;

/// "trusted 192.0.2.1/32", a line each.
std::string SourceLine(const std::string& zone, const net::Prefix& source) {
  return fmt::format("{} {}\n", zone, source.ToString());
}

std::string SourceLines(const Forwarding& forwarding) {
  std::string lines;
  for (const net::Prefix& source : forwarding.Sources()) {
    lines += SourceLine(forwarding.zone, source);
  }
  return lines;
}

CommandResult RunProgram(std::string_view verb, std::string_view lines) {
  Command command;
  command.path = FindCompanion(kProgram);
  command.arguments = {std::string(kProgram), std::string(verb)};
  if (const char* bus = std::getenv(kBusVariable)) {
    command.environment.push_back(fmt::format("{}={}", kBusVariable, bus));
  }
  command.input = lines;
  const auto sources = static_cast<size_t>(std::count(lines.begin(), lines.end(), '\n'));
  command.seconds = kSeconds + static_cast<unsigned>(sources / kSourcesPerSecond);
  return Run(command);
}

/// @returns what it prints; nullopt if firewalld does not run
/// @throws Error kUnavailable in the words of the program
std::optional<std::string> Ask(std::string_view verb, std::string_view lines) {
  CommandResult result = RunProgram(verb, lines);
  if (result.exit_status == firewalld::kNotRunning) return std::nullopt;
  if (result.exit_status == firewalld::kDone) return std::move(result.output);
  while (result.output.ends_with('\n')) result.output.pop_back();
  if (result.output.empty()) {
    result.output = fmt::format("{} {}: exit status {}", kProgram, verb, result.exit_status);
  }
  throw Error(Code::kUnavailable, std::move(result.output));
}

std::string AskRunning(std::string_view verb, std::string_view lines) {
  if (std::optional<std::string> answer = Ask(verb, lines)) return *std::move(answer);
  throw Error(Code::kUnavailable, "firewalld is not running",
              "start it, or choose another backend");
}

bool HasLine(std::string_view text, std::string_view line) {
  for (size_t at = text.find(line); at != std::string_view::npos; at = text.find(line, at + 1)) {
    if (at == 0 || text[at - 1] == '\n') return true;
  }
  return false;
}

/// It makes `table inet firewalld` when it starts and deletes it when it stops.
bool HasItsTable(netlink::Channel* netfilter) {
  return netfilter != nullptr && HasNftTable(*netfilter, kInet, "firewalld");
}

/// Its older way, which leaves no such mark.
bool UsesIptables() {
  return ReadFile(kDaemonConfig).value_or("").find("\nFirewallBackend=iptables") !=
         std::string::npos;
}

class Firewalld final : public Firewall {
 public:
  explicit Firewalld(Ledger ledger) : ledger_(std::move(ledger)) {}

  std::string_view name() const override { return "firewalld"; }

  void Add(const Rules& rules) override {
    RequireForwardingOnly(rules);
    const std::string lines = SourceLines(rules.forwarding);
    if (!lines.empty()) AskRunning("add", lines);
  }

  /// A firewalld that does not run has forgotten them.
  void Remove(const Rules& rules) override {
    const std::string lines = SourceLines(rules.forwarding);
    if (!lines.empty()) Ask("remove", lines);
  }

  size_t RemoveByOwner(std::string_view) override { return 0; }

  void RemoveForeign(const Foreign& foreign) override {
    if (foreign.forwarding.empty()) return;
    Ask("remove", SourceLines({.addresses = foreign.forwarding, .zone = foreign.zone}));
  }

  void Verify(const Rules& rules) override {
    const std::string lines = SourceLines(rules.forwarding);
    if (lines.empty()) return;
    const std::string& zone = rules.forwarding.zone;
    const std::string present = AskRunning("query", lines);
    for (const net::Prefix& source : rules.forwarding.Sources()) {
      if (HasLine(present, SourceLine(zone, source))) continue;
      throw Error(Code::kKernel,
                  fmt::format("expected source {} in zone {} not found", source.ToString(), zone));
    }
  }

  /// Adds only: what no record names any more cannot be told from the operator's.
  void Rebuild() override {
    std::string lines;
    for (const Rules& rules : ledger_.ReadLive(name())) lines += SourceLines(rules.forwarding);
    if (!lines.empty()) AskRunning("add", lines);
  }

  std::vector<Programmed> List() override {
    const std::vector<Rules> live = ledger_.ReadLive(name());
    std::string lines;
    for (const Rules& rules : live) lines += SourceLines(rules.forwarding);
    std::vector<Programmed> programmed;
    if (lines.empty()) return programmed;
    const std::string present = Ask("query", lines).value_or("");
    for (const Rules& rules : live) {
      for (const net::Prefix& source : rules.forwarding.Sources()) {
        if (!HasLine(present, SourceLine(rules.forwarding.zone, source))) continue;
        const bool whole = source.length == source.address.bits();
        programmed.push_back({.owner = rules.owner,
                              .network = rules.network,
                              .what = fmt::format("forward {}", whole ? source.address.ToString()
                                                                      : source.ToString()),
                              .place = fmt::format("zone {}", rules.forwarding.zone)});
      }
    }
    return programmed;
  }

 private:
  static void RequireForwardingOnly(const Rules& rules) {
    Rules rest = rules;
    rest.forwarding = {};
    if (rest.empty()) return;
    throw Error(Code::kConfig, "backend firewalld: can only forward addresses",
                "masquerading, published ports and isolation need nftables or iptables");
  }

  Ledger ledger_;
};

}  // namespace

std::unique_ptr<Firewall> MakeFirewalld(Ledger ledger) {
  return std::make_unique<Firewalld>(std::move(ledger));
}

bool HasFirewalld() {
  if (::access(kDaemon, F_OK) != 0) return false;
  return std::getenv(kBusVariable) != nullptr || ::access(kBus, F_OK) == 0;
}

void RequireFirewalld() {
  AskRunning("running", {});
}

bool FirewalldMayDrop(netlink::Channel* netfilter) {
  if (!HasFirewalld() || !(HasItsTable(netfilter) || UsesIptables())) return false;
  try {
    return Ask("running", {}).has_value();
  } catch (const Error& e) {
    Warn(fmt::format("whether firewalld runs cannot be told: {}; {}", e.message(), e.details()));
    return false;
  }
}

}  // namespace cnm::firewall
