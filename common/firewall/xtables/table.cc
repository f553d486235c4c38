// table.cc: one table of the kernel's older packet filter, through libiptc.
#include "common/firewall/xtables/table.h"

extern "C" {  // libip6tc.h does not say so itself
#include <libiptc/libip6tc.h>
#include <libiptc/libiptc.h>
}

#include <cerrno>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/base/subprocess.h"
#include "common/firewall/xtables/entry.h"

namespace cnm::firewall::xtables {
namespace {

using iptables::Edit;

/// libiptc's functions for IPv4.
struct Api4 {
  using Entry = ipt_entry;
  static constexpr net::Family kFamily = net::Family::kIpv4;
  static constexpr const char* kModule = "ip_tables";
  static constexpr auto Init = iptc_init;
  static constexpr auto Free = iptc_free;
  static constexpr auto Commit = iptc_commit;
  static constexpr auto IsChain = iptc_is_chain;
  static constexpr auto FirstChain = iptc_first_chain;
  static constexpr auto NextChain = iptc_next_chain;
  static constexpr auto IsBuiltIn = iptc_builtin;
  static constexpr auto GetPolicy = iptc_get_policy;
  static constexpr auto References = iptc_get_references;
  static constexpr auto FirstRule = iptc_first_rule;
  static constexpr auto NextRule = iptc_next_rule;
  static constexpr auto Target = iptc_get_target;
  static constexpr auto Create = iptc_create_chain;
  static constexpr auto Append = iptc_append_entry;
  static constexpr auto Insert = iptc_insert_entry;
  static constexpr auto Delete = iptc_delete_num_entry;
  static constexpr auto Flush = iptc_flush_entries;
  static constexpr auto DeleteChain = iptc_delete_chain;
  static constexpr auto Reason = iptc_strerror;
};

/// The same for IPv6.
struct Api6 {
  using Entry = ip6t_entry;
  static constexpr net::Family kFamily = net::Family::kIpv6;
  static constexpr const char* kModule = "ip6_tables";
  static constexpr auto Init = ip6tc_init;
  static constexpr auto Free = ip6tc_free;
  static constexpr auto Commit = ip6tc_commit;
  static constexpr auto IsChain = ip6tc_is_chain;
  static constexpr auto FirstChain = ip6tc_first_chain;
  static constexpr auto NextChain = ip6tc_next_chain;
  static constexpr auto IsBuiltIn = ip6tc_builtin;
  static constexpr auto GetPolicy = ip6tc_get_policy;
  static constexpr auto References = ip6tc_get_references;
  static constexpr auto FirstRule = ip6tc_first_rule;
  static constexpr auto NextRule = ip6tc_next_rule;
  static constexpr auto Target = ip6tc_get_target;
  static constexpr auto Create = ip6tc_create_chain;
  static constexpr auto Append = ip6tc_append_entry;
  static constexpr auto Insert = ip6tc_insert_entry;
  static constexpr auto Delete = ip6tc_delete_num_entry;
  static constexpr auto Flush = ip6tc_flush_entries;
  static constexpr auto DeleteChain = ip6tc_delete_chain;
  static constexpr auto Reason = ip6tc_strerror;
};

/// Asks the kernel's own loader for the module that serves the family: without it, tables cannot
/// even be asked for. What goes wrong shows when the table is opened again.
void LoadModule(const char* module) {
  std::string loader = ReadFile("/proc/sys/kernel/modprobe").value_or("");
  while (loader.ends_with('\n')) loader.pop_back();
  if (loader.empty()) return;
  Run({.path = loader, .arguments = {loader, "-q", module}, .environment = {}});
}

template <class Api>
class TableOf : public Table {
 public:
  explicit TableOf(std::string name) : name_(std::move(name)) {
    handle_.reset(Api::Init(name_.c_str()));
    if (handle_ == nullptr && errno == ENOPROTOOPT) {
      LoadModule(Api::kModule);
      handle_.reset(Api::Init(name_.c_str()));
    }
    if (handle_ == nullptr) Fail("open");
  }

  iptables::Chain Read(const std::string& name) override;
  std::vector<std::string> Chains() override;
  std::string Policy(const std::string& chain) override;
  void Make(const Edit& edit) override;
  bool Commit() override;

 private:
  struct Free {
    void operator()(xtc_handle* handle) const noexcept { Api::Free(handle); }
  };

  [[noreturn]] void Fail(std::string_view verb) const {
    throw Error(Code::kKernel,
                fmt::format("{} iptables table {}: {}", verb, name_, Api::Reason(errno)));
  }
  bool Carry(const Edit& edit);

  std::string name_;
  std::unique_ptr<xtc_handle, Free> handle_;
};

template <class Api>
iptables::Chain TableOf<Api>::Read(const std::string& name) {
  iptables::Chain chain;
  chain.exists = Api::IsChain(name.c_str(), handle_.get()) != 0;
  if (!chain.exists) return chain;
  unsigned references = 0;
  const bool built_in = Api::IsBuiltIn(name.c_str(), handle_.get()) != 0;
  if (!built_in && Api::References(&references, name.c_str(), handle_.get()) == 0) Fail("read");
  chain.references = references;
  for (const auto* entry = Api::FirstRule(name.c_str(), handle_.get()); entry != nullptr;
       entry = Api::NextRule(entry, handle_.get())) {
    const std::span<const uint8_t> bytes(reinterpret_cast<const uint8_t*>(entry),
                                         entry->next_offset);
    const char* const target = Api::Target(entry, handle_.get());
    chain.rules.push_back({DecodeEntry(bytes, target != nullptr ? target : "", Api::kFamily)});
  }
  return chain;
}

template <class Api>
std::vector<std::string> TableOf<Api>::Chains() {
  std::vector<std::string> chains;
  for (const char* chain = Api::FirstChain(handle_.get()); chain != nullptr;
       chain = Api::NextChain(handle_.get())) {
    chains.emplace_back(chain);
  }
  return chains;
}

template <class Api>
std::string TableOf<Api>::Policy(const std::string& chain) {
  xt_counters counters{};
  const char* const policy = Api::GetPolicy(chain.c_str(), &counters, handle_.get());
  return policy != nullptr ? policy : "";
}

template <class Api>
bool TableOf<Api>::Carry(const Edit& edit) {
  const char* const chain = edit.chain.c_str();
  xtc_handle* const handle = handle_.get();
  const auto position = static_cast<unsigned>(edit.position);
  std::vector<uint8_t> bytes;
  if (edit.kind == Edit::Kind::kAppend || edit.kind == Edit::Kind::kInsert) {
    bytes = EncodeEntry(edit.rule, Api::kFamily);
  }
  const auto* const entry = reinterpret_cast<const typename Api::Entry*>(bytes.data());
  switch (edit.kind) {
    case Edit::Kind::kNewChain:
      return Api::Create(chain, handle) != 0;
    case Edit::Kind::kAppend:
      return Api::Append(chain, entry, handle) != 0;
    case Edit::Kind::kInsert:
      return Api::Insert(chain, entry, position, handle) != 0;
    case Edit::Kind::kDelete:
      return Api::Delete(chain, position, handle) != 0;
    case Edit::Kind::kDeleteChain:
      break;
  }
  return Api::Flush(chain, handle) != 0 && Api::DeleteChain(chain, handle) != 0;
}

template <class Api>
void TableOf<Api>::Make(const Edit& edit) {
  if (!Carry(edit)) Fail("change chain " + edit.chain + " of");
}

template <class Api>
bool TableOf<Api>::Commit() {
  if (Api::Commit(handle_.get()) != 0) return true;
  if (errno != EAGAIN) Fail("change");
  return false;
}

}  // namespace

std::unique_ptr<Table> OpenTable(net::Family family, const std::string& name) {
  if (family == net::Family::kIpv4) return std::make_unique<TableOf<Api4>>(name);
  return std::make_unique<TableOf<Api6>>(name);
}

}  // namespace cnm::firewall::xtables
