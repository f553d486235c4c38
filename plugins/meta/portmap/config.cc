// config.cc: the portmap plugin's configuration.
#include "plugins/meta/portmap/config.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/base/error.h"
#include "common/firewall/firewall.h"

namespace cnm::portmap {
namespace {

constexpr std::string_view kNftables = "nftables";
constexpr std::string_view kIptables = "iptables";

/// The backend whose language these conditions are written in; "" if there are none (PM-1).
std::string_view LanguageOf(const std::vector<std::string>& conditions) {
  if (conditions.empty() || conditions.front().empty()) return "";
  const char first = conditions.front().front();
  return first == '-' || first == '!' ? kIptables : kNftables;
}

/// What was asked for that only one backend understands.
struct Dialects {
  std::vector<std::string_view> iptables;
  std::vector<std::string_view> nftables;

  void Note(std::string_view language, std::string_view key) {
    if (language == kIptables) iptables.push_back(key);
    if (language == kNftables) nftables.push_back(key);
  }
};

/// The reference's own default is iptables; where nothing tells them apart, ours is the core's.
std::string ChooseBackend(std::string_view asked, bool mark_bit_given, const Dialects& dialects) {
  if (!asked.empty() && asked != kNftables && asked != kIptables) {
    throw Error(Code::kConfig, fmt::format("unrecognized backend \"{}\"", asked),
                "$.backend: want nftables or iptables");
  }
  std::string_view chosen = asked;
  if (chosen.empty() && (!dialects.iptables.empty() || mark_bit_given)) chosen = kIptables;
  if (chosen.empty() && !dialects.nftables.empty()) chosen = kNftables;
  const bool is_iptables = chosen == kIptables;
  const auto& foreign = is_iptables ? dialects.nftables : dialects.iptables;
  if (!foreign.empty()) {
    throw Error(Code::kConfig,
                fmt::format("{} backend was requested but configuration contains {}-specific "
                            "options [{}]",
                            chosen, is_iptables ? kNftables : kIptables, fmt::join(foreign, " ")),
                fmt::format("$.{}", foreign.front()));
  }
  return std::string(chosen);
}

/// They become words of one line that another program reads.
void RequirePrintable(const std::vector<std::string>& conditions, std::string_view key) {
  for (const std::string& word : conditions) {
    const bool broken =
        std::any_of(word.begin(), word.end(), [](unsigned char c) { return std::iscntrl(c) != 0; });
    if (!broken) continue;
    throw Error(Code::kConfig, fmt::format("condition {:?}: a control character", word),
                fmt::format("$.{}", key));
  }
}

void RequireChainName(const std::string& name) {
  if (firewall::IsChainName(name)) return;
  throw Error(Code::kConfig, fmt::format("{:?} is no chain name", name),
              "$.externalSetMarkChain: want at most 28 printable characters without blanks");
}

uint8_t DecodeMarkBit(const json::Object& conf, bool& given) {
  int64_t bit = Config().mark_bit;
  given = conf.Optional("markMasqBit", bit);
  if (bit < 0 || bit > 31) {
    throw Error(Code::kConfig, "MasqMarkBit must be between 0 and 31",
                fmt::format("$.markMasqBit: {}", bit));
  }
  return static_cast<uint8_t>(bit);
}

}  // namespace

Config DecodeConfig(const json::Object& conf) {
  Config config;
  std::string backend;
  bool mark_bit_given = false;
  conf.Optional("backend", backend);
  conf.Optional("snat", config.snat);
  conf.Optional("masqAll", config.masquerade_all);
  config.mark_bit = DecodeMarkBit(conf, mark_bit_given);
  conf.Optional("externalSetMarkChain", config.mark_chain);
  conf.Optional("conditionsV4", config.conditions_v4);
  conf.Optional("conditionsV6", config.conditions_v6);
  if (const auto runtime = conf.OptionalObject("runtimeConfig")) {
    config.mappings = DecodeMappings(*runtime);
  }

  RequirePrintable(config.conditions_v4, "conditionsV4");
  RequirePrintable(config.conditions_v6, "conditionsV6");
  if (!config.mark_chain.empty()) RequireChainName(config.mark_chain);
  if (!config.mark_chain.empty() && mark_bit_given) {
    throw Error(Code::kConfig, "Cannot specify externalSetMarkChain and markMasqBit",
                "$.externalSetMarkChain, $.markMasqBit: leave one out");
  }
  Dialects dialects;
  if (!config.mark_chain.empty()) dialects.Note(kIptables, "externalSetMarkChain");
  dialects.Note(LanguageOf(config.conditions_v4), "conditionsV4");
  dialects.Note(LanguageOf(config.conditions_v6), "conditionsV6");
  config.backend = ChooseBackend(backend, mark_bit_given, dialects);
  return config;
}

}  // namespace cnm::portmap
