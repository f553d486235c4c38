// tune.cc: changing a link and its sandbox's sysctls, and putting them back.
#include "plugins/meta/tuning/tune.h"

#include <optional>

#include <fmt/format.h>

#include "cnm/teardown.h"
#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/netlink/socket.h"
#include "common/netns/sysctl.h"

namespace cnm::tuning {
namespace {

std::string ReadFormer(const Sysctl& sysctl) {
  if (std::optional<std::string> value = netns::ReadSysctl(sysctl.name.path())) return *value;
  throw Error(Code::kNotFound,
              fmt::format("open /proc/sys/{}: no such file or directory", sysctl.name.path()),
              fmt::format("{}: this network namespace has no such sysctl", sysctl.where));
}

/// The link as it is now, only those of its settings that `wanted` changes.
netlink::LinkChange FormerOf(const netlink::Link& link, const netlink::LinkChange& wanted) {
  netlink::LinkChange former;
  if (wanted.mac) former.mac = link.mac;
  if (wanted.mtu) former.mtu = link.mtu;
  if (wanted.promiscuous) former.promiscuous = link.promiscuous();
  if (wanted.all_multicast) former.all_multicast = link.all_multicast();
  if (wanted.tx_queue_length) former.tx_queue_length = link.tx_queue_length;
  return former;
}

Backup ReadNow(const Config& config, const Target& target) {
  Backup now;
  netlink::Socket socket = netlink::Socket::Open();
  std::optional<netlink::Link> link;
  if (config.ChangesLink()) {
    link = socket.GetLink(target.ifname);
    now.link = FormerOf(*link, config.link);
  } else {
    link = socket.FindLink(target.ifname);
  }
  now.subject = Subject{target.sandbox, link ? link->ifindex : 0};
  for (const Sysctl& sysctl : config.sysctls) {
    now.sysctls.push_back({sysctl.name.path(), ReadFormer(sysctl)});
  }
  return now;
}

/// What an earlier ADD saved of the same link; nothing if the file is another link's, or broken.
Backup EarlierBackup(const std::string& text, const Target& target, const Backup& now) {
  try {
    Backup earlier = DecodeBackup(text);
    if (!earlier.subject || earlier.subject == now.subject) return earlier;
  } catch (const Error& e) {
    Warn(fmt::format("{}: {}: made anew", target.backup_path, e.message()));
  }
  return {};
}

void Save(const Backup& now, const Target& target, Rollback& undo) {
  const std::string& path = target.backup_path;
  MakeDirectories(path.substr(0, path.rfind('/')), 0700);
  const std::optional<std::string> text = ReadFile(path);
  Backup backup = text ? EarlierBackup(*text, target, now) : Backup();
  backup.Complete(now);
  undo.Push("backup", [&undo, path, text] {
    if (undo.failed()) return;  // something is still changed: DEL tries again
    if (text) {
      WriteFileAtomic(path, *text, Durability::kVolatile);
    } else {
      RemoveFile(path);
    }
  });
  WriteFileAtomic(path, Encode(backup), Durability::kVolatile);
}

/// Not written when it is so already: what could not be changed cannot be put back either.
void PutBack(const FormerSysctl& sysctl) {
  if (!sysctl.value.empty()) netns::EnsureSysctl(sysctl.path, sysctl.value);
}

}  // namespace

void Tune(const Config& config, const Target& target, Rollback& undo) {
  const Backup now = ReadNow(config, target);
  Save(now, target, undo);
  for (size_t i = 0; i < config.sysctls.size(); ++i) {
    const Sysctl& sysctl = config.sysctls[i];
    undo.Push("sysctl", [former = now.sysctls[i]] { PutBack(former); });
    try {
      if (!netns::WriteSysctl(sysctl.name.path(), sysctl.value)) ReadFormer(sysctl);
    } catch (Error& e) {
      e.AddDetail(sysctl.where);
      throw;
    }
  }
  if (!config.ChangesLink()) return;
  // Before the request: of several changes the kernel may have made some when it fails.
  const int ifindex = now.subject->ifindex;
  undo.Push("link", [ifindex, former = now.link] {
    netlink::Socket::Open().Execute(netlink::ChangeLink(ifindex, former));
  });
  netlink::Socket::Open().Execute(netlink::ChangeLink(ifindex, config.link));
}

void Restore(const Backup& backup, const std::string& ifname, const netns::Identity& sandbox) {
  netlink::Socket socket = netlink::Socket::Open();
  const std::optional<netlink::Link> link = socket.FindLink(ifname);
  const int ifindex = link ? link->ifindex : 0;
  if (backup.subject && *backup.subject != Subject{sandbox, ifindex}) return;
  Teardown teardown;
  if (link && backup.link != netlink::LinkChange{}) {
    teardown.Try(ifname, [&] { socket.Execute(netlink::ChangeLink(ifindex, backup.link)); });
  }
  for (auto sysctl = backup.sysctls.rbegin(); sysctl != backup.sysctls.rend(); ++sysctl) {
    teardown.TryUnwrapped([&] { PutBack(*sysctl); });
  }
  teardown.ThrowIfFailed();
}

}  // namespace cnm::tuning
