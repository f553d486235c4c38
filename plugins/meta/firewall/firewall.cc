// firewall.cc: an adapter behind an interface plugin: it makes no link but has the host's packet
// filters let the container's packets through, and keeps bridges apart where that is asked for.
//
//      container a                       host                        outside
//   +--------------+      +----------------------------+
//   |  192.0.2.5 --|------|- br1 --. forward: accept   |
//   +--------------+      |        +---------- up0 ----|-------------- ...
//   +--------------+      |        | x isolation       |
//   |198.51.100.7--|------|- br2 --'                   |
//   +--------------+      +----------------------------+
//      container b
//
// https://www.cni.dev/plugins/current/meta/firewall/
#include "plugins/meta/firewall/firewall.h"

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/firewall/select.h"
#include "plugins/cni/chained.h"
#include "plugins/cni/open_controller.h"
#include "plugins/cni/unrecorded.h"
#include "plugins/meta/firewall/config.h"
#include "plugins/meta/firewall/plan.h"

namespace cnm::firewall_plugin {
namespace {

constexpr std::string_view kName = "firewall";
constexpr std::string_view kUnchained = "missing prevResult from earlier plugin";
/// The reference's, which says 0.4.0 and newer.
constexpr std::span<const std::string_view> kSpoken = std::span(cni::kVersions).subspan(4);
static_assert(kSpoken.front() == "0.4.0");

bool Contains(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

/// An accept in our table does not undo a drop in another: also who asks for nftables must be
/// accepted wherever the host would drop.
std::vector<std::string> ForwardingBackends(const Config& config) {
  if (config.backend == "iptables" || config.backend == "firewalld") return {config.backend};
  std::vector<std::string> backends = firewall::ForwardBackends();
  if (!config.backend.empty() && !Contains(backends, config.backend)) {
    backends.insert(backends.begin(), config.backend);
  }
  return backends;
}

Backends ChooseBackends(const Config& config) {
  const bool asked = config.backend == "iptables" || config.backend == "firewalld";
  Backends backends{.forwarding = ForwardingBackends(config), .follows_host = !asked};
  // firewalld has no words for it; of the others the first forwards and isolates.
  backends.isolation =
      config.backend == "firewalld" ? firewall::DefaultBackend() : backends.forwarding.front();
  return backends;
}

/// The reference takes any word as "choose"; so do we, but say so.
Config DecodeAndWarn(const cni::Call& call) {
  Config config = DecodeConfig(*call.conf);
  if (!config.unknown_backend.empty()) {
    Warn(
        fmt::format("$.backend: {:?} is unknown, known are nftables, iptables and firewalld: the "
                    "host's own is used",
                    config.unknown_backend));
  }
  cni::WarnUnknownKeys(call);
  return config;
}

cni::Result Add(const cni::Call& call) {
  const Config config = DecodeAndWarn(call);
  cni::Result result = cni::RequirePrevResult(call, kUnchained);
  std::vector<Attachment> wanted = MakeAttachments(config, result, ChooseBackends(config));
  if (wanted.empty()) return result;
  AttachmentSpec spec = cni::MakeAttachmentSpec(call, kName);
  spec.wanted = std::move(wanted);
  cni::OpenController(call, {}).AddAttachments(spec);
  return result;
}

/// Without a record, the reference may have accepted the addresses. Its isolation is left alone:
/// all containers of the bridge share it.
void Del(const cni::Call& call) {
  RemovalSpec spec;
  spec.plugin = kName;
  if (call.prev_result && !call.prev_result->ips.empty()) {
    Config config;
    try {
      config = DecodeConfig(*call.conf);
    } catch (const Error& e) {
      Warn(fmt::format("firewall: DEL goes on: {}", e.message()));
    }
    firewall::Forwarding forwarding = MakeForwarding(config, *call.prev_result);
    spec.foreign = firewall::Foreign{.forwarding = std::move(forwarding.addresses),
                                     .zone = std::move(forwarding.zone)};
  }
  cni::RemoveAttachments(call, std::move(spec));
}

void Check(const cni::Call& call) {
  const Config config = DecodeConfig(*call.conf);
  const cni::Result& result = cni::RequirePrevResult(call, kUnchained);
  firewall::Rules wanted;
  wanted.forwarding = MakeForwarding(config, result);
  wanted.isolation = MakeIsolation(config, result);
  if (wanted.empty()) return;
  Controller controller = cni::OpenController(call, {});
  const std::vector<Attachment> made = controller.CheckAttachments(cni::KeyOf(call), kName);
  if (made.empty()) return cni::VerifyUnrecorded(call, config.backend, wanted);
  const auto has = [&](auto same) { return std::any_of(made.begin(), made.end(), same); };
  const bool forwards = wanted.forwarding.addresses.empty() || has([&](const Attachment& a) {
                          return a.rules.forwarding == wanted.forwarding;
                        });
  const bool isolates = !wanted.isolation || has([&](const Attachment& a) {
    return a.rules.isolation == wanted.isolation;
  });
  if (forwards && isolates) return;
  throw Error(Code::kConfig, "firewall rules are not the configured ones",
              "prevResult or configuration changed since ADD");
}

void Gc(const cni::Call& call) {
  cni::CollectAttachments(call, kName);
}

void Status(const cni::Call& call) {
  const Config config = DecodeAndWarn(call);
  for (const std::string& backend : ForwardingBackends(config)) firewall::RequireUsable(backend);
  cni::OpenController(call, {});
}

}  // namespace

constexpr cni::Plugin kPlugin{.name = kName,
                              .versions = kSpoken,
                              .add = Add,
                              .del = Del,
                              .check = Check,
                              .gc = Gc,
                              .status = Status};

}  // namespace cnm::firewall_plugin
