// tuning.cc: an adapter behind an interface plugin: it makes no link but changes the container's,
// and sysctls of its network namespace.
//
//      container                            host
//   +--------------------------------+   +-----------------------------------------+
//   | eth0: mac, mtu, promisc,       |   | <dataDir>/<container id>_<ifname>.json: |
//   |       allmulti, txqueuelen     |   | what they were before                   |
//   | /proc/sys/net/...              |   +-----------------------------------------+
//   +--------------------------------+
//
// The backup is the journal: the endpoint's record names it before it is written, and it is written
// before the first change. So DEL restores, and whoever removes the endpoint removes it.
//
// https://www.cni.dev/plugins/current/meta/tuning/
#include "plugins/meta/tuning/tuning.h"

#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/netns/netns.h"
#include "plugins/cni/chained.h"
#include "plugins/cni/open_controller.h"
#include "plugins/meta/tuning/allowlist.h"
#include "plugins/meta/tuning/config.h"
#include "plugins/meta/tuning/tune.h"

namespace cnm::tuning {
namespace {

using netns::NetNs;

constexpr const char* kAllowlist = "/etc/cni/tuning/allowlist.conf";
constexpr std::string_view kNoPrevResult = "Required prevResult missing";

/// Without the file everything is allowed.
void RequireAllowed(const Config& config, std::string_view ifname) {
  if (config.sysctls.empty()) return;
  const std::optional<std::string> text = ReadFile(kAllowlist);
  if (!text) return;
  const Allowlist list = Allowlist::Parse(*text, kAllowlist);
  for (const Sysctl& sysctl : config.sysctls) {
    if (list.Allows(sysctl.name, ifname)) continue;
    throw Error(
        Code::kConfig,
        fmt::format("Sysctl {} is not allowed. Only the following sysctls are allowed: [{}]",
                    sysctl.key, list.ToString()),
        fmt::format("{}: a pattern of {} must match {} of the name", sysctl.where, kAllowlist,
                    list.anchored() ? "all" : "a part"));
  }
}

void UpdateResult(const Config& config, const cni::Call& call, cni::Result& result) {
  for (cni::ResultInterface& interface : result.interfaces) {
    if (interface.name != call.ifname || interface.sandbox.empty()) continue;
    if (config.link.mac) interface.mac = config.link.mac->ToString();
    if (config.link.mtu && interface.mtu != 0) interface.mtu = *config.link.mtu;
  }
}

cni::Result Add(const cni::Call& call) {
  const Config config = DecodeConfig(*call.conf, call.args, call.ifname);
  cni::WarnUnknownKeys(call);
  RequireAllowed(config, call.ifname);
  cni::Result result = cni::RequirePrevResult(call, kNoPrevResult);
  if (config.empty()) return result;
  const NetNs sandbox = NetNs::Open(call.netns);
  const std::vector<std::string> files =
      BackupFiles(config.data_dir, call.container_id, call.ifname);
  const Target target = {call.ifname, sandbox.identity(), files.front()};
  AttachmentSpec spec = cni::MakeAttachmentSpec(call, kPlugin.name);
  spec.wanted.resize(1);
  spec.wanted[0].files = files;
  spec.apply = [&](Rollback& undo) {
    sandbox.Enter();
    Tune(config, target, undo);
  };
  cni::OpenController(call, {}).AddAttachments(spec);
  UpdateResult(config, call, result);
  return result;
}

void Check(const cni::Call& call) {
  const Config config = DecodeConfig(*call.conf, call.args, call.ifname);
  cni::RequirePrevResult(call, kNoPrevResult);
  if (config.empty()) return;
  NetNs::Open(call.netns).Enter();
  Verify(config, call.ifname);
}

/// A removal must not fail because something cannot be put back: the link is about to go.
void RestoreFrom(const std::string& path, const cni::Call& call) {
  try {
    const std::optional<std::string> text = ReadFile(path);
    if (!text || call.netns.empty()) return;
    const std::optional<NetNs> sandbox = NetNs::TryOpen(call.netns);
    if (!sandbox) return;
    const Backup backup = DecodeBackup(*text);
    sandbox->Enter();
    Restore(backup, call.ifname, sandbox->identity());
  } catch (const Error& e) {
    Warn(fmt::format("DEL goes on: restore {}: {}", path, e.message()));
  }
}

/// Where the configuration, if there is a usable one, lets the backup be.
std::vector<std::string> ConfiguredFiles(const cni::Call& call) {
  std::string directory = Config().data_dir;
  try {
    if (call.conf) directory = DecodeDataDir(*call.conf);
  } catch (const Error& e) {
    Warn(fmt::format("DEL goes on: {}", e.message()));
  }
  return BackupFiles(directory, call.container_id, call.ifname);
}

void Del(const cni::Call& call) {
  RemovalSpec spec;
  spec.plugin = kPlugin.name;
  spec.restore = [&](const Attachment& attachment) {
    if (!attachment.files.empty()) RestoreFrom(attachment.files.front(), call);
  };
  cni::RemoveAttachments(call, spec);
  // The reference's ADD left no record. Last, because it may lead into the sandbox.
  const std::vector<std::string> files = ConfiguredFiles(call);
  RestoreFrom(files.front(), call);
  for (const std::string& file : files) RemoveFile(file);
}

void Gc(const cni::Call& call) {
  cni::CollectAttachments(call, kPlugin.name);
}

void Status(const cni::Call& call) {
  constexpr std::string_view kAnyInterface = "IFNAME";
  const Config config = DecodeConfig(*call.conf, "", kAnyInterface);
  cni::WarnUnknownKeys(call);
  RequireAllowed(config, kAnyInterface);
}

}  // namespace

constexpr cni::Plugin kPlugin{
    .name = "tuning", .add = Add, .del = Del, .check = Check, .gc = Gc, .status = Status};

}  // namespace cnm::tuning
