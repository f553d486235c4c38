// iptables.cc: the packet filter backend that speaks iptables.
#include "common/firewall/iptables/iptables.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/base/rollback.h"
#include "common/firewall/iptables/names.h"
#include "common/firewall/iptables/rulebook.h"
#include "common/firewall/iptables/variant.h"

namespace cnm::firewall {
namespace {

using iptables::Standing;

/// Whose chains are, by their names: the comments of their rules, and of those that jump to them,
/// tell.
using Subjects = std::map<std::string, iptables::Subject>;

Subjects SubjectsOf(const std::vector<Standing>& standing) {
  Subjects subjects;
  for (const Standing& one : standing) {
    const std::optional<iptables::Subject> subject = iptables::SubjectOf(one.rule.comment);
    if (subject) subjects[one.rule.target] = subjects[one.chain] = *subject;
  }
  // Chains that everybody uses are nobody's.
  for (const std::string_view shared :
       {iptables::kPortChain, std::string_view("POSTROUTING"), std::string_view("ACCEPT"),
        std::string_view("MASQUERADE")}) {
    subjects.erase(std::string(shared));
  }
  return subjects;
}

iptables::Subject SubjectOf(const Subjects& subjects, const Standing& one) {
  for (const std::string& chain : {one.chain, one.rule.target}) {
    if (const auto known = subjects.find(chain); known != subjects.end()) return known->second;
  }
  return {};
}

/// Isolation is of both families. A host without IPv6 forwards none of it, and need not have tables
/// for it.
std::vector<iptables::Script> ForThisHost(std::vector<iptables::Script> scripts) {
  if (::access("/proc/sys/net/ipv6/conf", F_OK) != 0) {
    std::erase_if(scripts, [](const iptables::Script& script) {
      return script.family == net::Family::kIpv6;
    });
  }
  return scripts;
}

class Iptables : public Firewall {
 public:
  explicit Iptables(Ledger ledger) : ledger_(std::move(ledger)) {}

  std::string_view name() const override { return "iptables"; }
  void Add(const Rules& rules) override;
  void Remove(const Rules& rules) override;
  size_t RemoveByOwner(std::string_view owner) override;
  void RemoveForeign(const Foreign& foreign) override;
  void Verify(const Rules& rules) override;
  void Rebuild() override;
  std::vector<Programmed> List() override;

 private:
  iptables::Variant* FindVariant();
  iptables::Variant& GetVariant();
  void Clear(const std::vector<iptables::Script>& scripts);

  Ledger ledger_;
  std::unique_ptr<iptables::Variant> variant_;
};

iptables::Variant* Iptables::FindVariant() {
  if (variant_ == nullptr) variant_ = iptables::FindVariant();
  return variant_.get();
}

iptables::Variant& Iptables::GetVariant() {
  if (variant_ == nullptr) variant_ = iptables::OpenVariant();
  return *variant_;
}

/// Where there is no iptables, nothing is to be removed from it.
void Iptables::Clear(const std::vector<iptables::Script>& scripts) {
  if (!scripts.empty() && FindVariant() != nullptr) variant_->Apply(scripts);
}

void Iptables::Add(const Rules& rules) {
  const std::vector<iptables::Script> scripts = ForThisHost(iptables::AddScripts(rules));
  if (scripts.empty()) return;
  // A transaction holds one table of one family: the others are undone when one fails. Isolation is
  // everybody's on the bridge: who else needs it is not known here.
  Rules own = rules;
  own.isolation.reset();
  std::set<net::Family> changed;
  Rollback undo;
  undo.Push("remove iptables rules", [&] {
    std::vector<iptables::Script> added = iptables::RemoveScripts(own);
    std::erase_if(added, [&](const auto& script) { return !changed.contains(script.family); });
    Clear(added);
  });
  GetVariant().Apply(scripts, [&](net::Family family) { changed.insert(family); });
  undo.Commit();
}

void Iptables::Remove(const Rules& rules) {
  Clear(ForThisHost(iptables::RemoveScripts(rules)));
}

/// The reference's names and comments hold the network and container id, not the interface, so an
/// owner cannot be found by them. What may be left of one without a record is RemoveForeign's.
size_t Iptables::RemoveByOwner(std::string_view) {
  return 0;
}

void Iptables::RemoveForeign(const Foreign& foreign) {
  Clear(iptables::RemoveForeignScripts(foreign));
}

void Iptables::Verify(const Rules& rules) {
  const std::vector<iptables::Script> scripts = ForThisHost(iptables::StandingScripts(rules));
  if (scripts.empty()) return;
  const std::optional<std::string> missing = GetVariant().FindMissing(scripts);
  if (missing) throw Error(Code::kKernel, *missing);
}

/// Adds only, so nobody who comes meanwhile is lost. The ledger is asked last, as iptables cannot
/// refuse what rests on an older answer.
void Iptables::Rebuild() {
  FindVariant();
  const std::vector<iptables::Script> scripts =
      ForThisHost(iptables::RebuildScripts(ledger_.ReadLive(name())));
  if (!scripts.empty()) GetVariant().Apply(scripts);
}

std::vector<Programmed> Iptables::List() {
  if (FindVariant() == nullptr) return {};
  const std::vector<Standing> standing = variant_->List();
  const Subjects subjects = SubjectsOf(standing);
  std::vector<Programmed> programmed;
  for (const Standing& one : standing) {
    const std::string_view family = one.family == net::Family::kIpv4 ? "ip" : "ip6";
    iptables::Subject subject = SubjectOf(subjects, one);
    programmed.push_back({.network = std::move(subject.network),
                          .container_id = std::move(subject.container_id),
                          .what = iptables::ToText(one.rule),
                          .place = fmt::format("{} {} {}", family, one.table, one.chain)});
  }
  return programmed;
}

}  // namespace

/// Only Rebuild asks the ledger: comments do not name owners, and what somebody flushed comes back
/// by Rebuild.
std::unique_ptr<Firewall> MakeIptables(Ledger ledger) {
  return std::make_unique<Iptables>(std::move(ledger));
}

bool IptablesMayDrop(netlink::Channel& netfilter) {
  if (iptables::UsesNft(netfilter)) return iptables::NftMayDrop(netfilter);
  return iptables::LegacyMayDrop();
}

void RequireIptables() {
  iptables::OpenVariant()->RequirePrograms();
}

}  // namespace cnm::firewall
