// rule.cc: one rule of a chain of iptables, as a value and as text.
#include "common/firewall/iptables/rule.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace cnm::firewall::iptables {
namespace {

using Out = std::back_insert_iterator<std::string>;

/// In double quotes when it must be, as iptables-save does; `\` and `"` escaped.
std::string Quoted(std::string_view text) {
  const bool plain = !text.empty() && text.find_first_of(" \t\n\"\\'") == std::string_view::npos;
  if (plain) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\' || c == '\'') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string PortText(const PortRange& range, char between) {
  if (range.first == range.last) return fmt::format("{}", range.first);
  return fmt::format("{}{}{}", range.first, between, range.last);
}

std::string DestinationText(const Destination& to) {
  std::string address = to.address.ToString();
  if (!to.ports) return address;
  std::string text = fmt::format(fmt::runtime(to.address.is_v4() ? "{}:{}" : "[{}]:{}"), address,
                                 PortText(*to.ports, '-'));
  if (to.base != 0) text += fmt::format("/{}", to.base);
  return text;
}

template <class Match>
void AppendMatch(Out out, const std::optional<Match>& match, std::string_view option,
                 std::string_view value) {
  if (match) fmt::format_to(out, "{}{} {} ", match->negated ? "! " : "", option, value);
}

void AppendHeader(Out out, const Rule& rule) {
  AppendMatch(out, rule.source, "-s", rule.source ? rule.source->subnet.ToString() : "");
  AppendMatch(out, rule.destination, "-d",
              rule.destination ? rule.destination->subnet.ToString() : "");
  AppendMatch(out, rule.in, "-i", rule.in ? Quoted(rule.in->name) : "");
  AppendMatch(out, rule.out, "-o", rule.out ? Quoted(rule.out->name) : "");
  if (rule.protocol) fmt::format_to(out, "-p {} ", ProtocolText(*rule.protocol));
}

void AppendMatches(Out out, const Rule& rule) {
  if (rule.port && rule.protocol) {
    fmt::format_to(out, "-m {} --dport {} ", ProtocolText(*rule.protocol),
                   PortText(*rule.port, ':'));
  }
  if (rule.icmpv6_type) fmt::format_to(out, "-m icmp6 --icmpv6-type {} ", *rule.icmpv6_type);
  if (!rule.comment.empty()) {
    fmt::format_to(out, "-m comment --comment {} ", Quoted(rule.comment));
  }
  if (!rule.ports.empty()) {
    std::string list;
    for (const PortRange& range : rule.ports) {
      if (!list.empty()) list += ',';
      list += PortText(range, ':');
    }
    fmt::format_to(out, "-m multiport --dports {} ", list);
  }
  if (rule.mark) fmt::format_to(out, "-m mark --mark {0:#x}/{0:#x} ", *rule.mark);
  if (rule.to_local) fmt::format_to(out, "-m addrtype --dst-type LOCAL ");
  if (rule.established) fmt::format_to(out, "-m conntrack --ctstate RELATED,ESTABLISHED ");
  if (rule.translated) fmt::format_to(out, "-m conntrack --ctstate DNAT ");
  for (const std::string& word : rule.conditions) fmt::format_to(out, "{} ", Quoted(word));
}

}  // namespace

std::string ProtocolText(uint8_t protocol) {
  for (const Protocol known : {Protocol::kTcp, Protocol::kUdp, Protocol::kSctp}) {
    if (protocol == static_cast<uint8_t>(known)) return std::string(NameOf(known));
  }
  return fmt::format("{}", protocol);
}

std::string ToText(const Rule& rule) {
  std::string text;
  const Out out(text);
  AppendHeader(out, rule);
  AppendMatches(out, rule);
  fmt::format_to(out, "-j {}", rule.target);
  if (rule.target == "MARK") fmt::format_to(out, " --set-xmark {0:#x}/{0:#x}", rule.set_mark);
  if (rule.to) fmt::format_to(out, " --to-destination {}", DestinationText(*rule.to));
  return text;
}

bool Matches(const Rule& wanted, const Rule& present, bool any_comment) {
  if (!wanted.conditions.empty()) {
    return wanted.comment == present.comment && wanted.protocol == present.protocol &&
           wanted.ports == present.ports && wanted.target == present.target;
  }
  if (!any_comment) return wanted == present;
  Rule silent = present;
  silent.comment = wanted.comment;
  return wanted == silent;
}

}  // namespace cnm::firewall::iptables
