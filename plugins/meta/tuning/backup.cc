// backup.cc: what a link and its sandbox were before they were tuned.
#include "plugins/meta/tuning/backup.h"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm::tuning {
namespace {

template <class Value>
void CompleteOne(std::optional<Value>& here, const std::optional<Value>& later) {
  if (!here) here = later;
}

void EncodeOurs(const Backup& backup, json::Writer& writer) {
  writer.Key("cnm").BeginObject();
  if (backup.subject) {
    writer.Member("netnsDevice", uint64_t{backup.subject->sandbox.device});
    writer.Member("netnsInode", uint64_t{backup.subject->sandbox.inode});
    writer.Member("ifindex", backup.subject->ifindex);
  }
  writer.Key("sysctl").BeginObject();
  for (const FormerSysctl& sysctl : backup.sysctls) writer.Member(sysctl.path, sysctl.value);
  writer.EndObject().EndObject();
}

void DecodeOurs(const json::Object& ours, Backup& backup) {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t ifindex = 0;
  if (ours.Optional("netnsDevice", device) && ours.Optional("netnsInode", inode) &&
      ours.Optional("ifindex", ifindex, {0, INT32_MAX})) {
    backup.subject = Subject{{device, inode}, static_cast<int>(ifindex)};
  }
  const auto sysctls = ours.OptionalObject("sysctl");
  if (!sysctls) return;
  for (const std::string& path : sysctls->Keys()) {
    std::string value;
    sysctls->Optional(path, value);
    backup.sysctls.push_back({path, std::move(value)});
  }
}

}  // namespace

void Backup::Complete(const Backup& later) {
  CompleteOne(subject, later.subject);
  CompleteOne(link.mac, later.link.mac);
  CompleteOne(link.mtu, later.link.mtu);
  CompleteOne(link.promiscuous, later.link.promiscuous);
  CompleteOne(link.all_multicast, later.link.all_multicast);
  CompleteOne(link.tx_queue_length, later.link.tx_queue_length);
  for (const FormerSysctl& sysctl : later.sysctls) {
    const bool here = std::any_of(sysctls.begin(), sysctls.end(),
                                  [&](const FormerSysctl& s) { return s.path == sysctl.path; });
    if (!here) sysctls.push_back(sysctl);
  }
}

std::vector<std::string> BackupFiles(std::string_view data_dir, std::string_view container_id,
                                     std::string_view ifname) {
  const std::string name = fmt::format("{}_{}.json", container_id, ifname);
  return {fmt::format("{}/{}", data_dir, name), fmt::format("{}/.tmp-{}", data_dir, name)};
}

std::string Encode(const Backup& backup) {
  json::Writer writer(json::Style::kIndented);
  writer.BeginObject();
  const netlink::LinkChange& link = backup.link;
  if (link.mac) writer.Member("mac", link.mac->ToString());
  if (link.promiscuous) writer.Member("promisc", *link.promiscuous);
  if (link.mtu) writer.Member("mtu", *link.mtu);
  if (link.all_multicast) writer.Member("allmulti", *link.all_multicast);
  if (link.tx_queue_length) writer.Member("txQLen", *link.tx_queue_length);
  EncodeOurs(backup, writer);
  writer.EndObject();
  return writer.Take();
}

Backup DecodeBackup(std::string_view text) {
  const json::Object object = json::Parse(text, "backup");
  Backup backup;
  netlink::LinkChange& link = backup.link;
  std::string mac;
  if (object.Optional("mac", mac)) link.mac = net::Mac::Parse(mac);  // "": the link has none
  bool flag = false;
  if (object.Optional("promisc", flag)) link.promiscuous = flag;
  if (object.Optional("allmulti", flag)) link.all_multicast = flag;
  uint32_t number = 0;
  if (object.Optional("mtu", number) && number != 0) link.mtu = number;
  if (object.Optional("txQLen", number)) link.tx_queue_length = number;
  if (const auto ours = object.OptionalObject("cnm")) DecodeOurs(*ours, backup);
  return backup;
}

}  // namespace cnm::tuning
