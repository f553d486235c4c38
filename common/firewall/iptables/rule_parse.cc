// rule_parse.cc: reading one rule of iptables from its text.
#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/firewall/iptables/rule.h"

namespace cnm::firewall::iptables {
namespace {

/// Splits at blanks; double quotes hold a word together, `\` takes the next character as it is.
std::vector<std::string> SplitWords(std::string_view text) {
  std::vector<std::string> words;
  bool quoted = false;
  bool open = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    const bool blank = c == ' ' && !quoted;
    if (blank) {
      open = false;
      continue;
    }
    if (!open) words.emplace_back();
    open = true;
    if (c == '"') {
      quoted = !quoted;
      continue;
    }
    if (c == '\\' && i + 1 < text.size()) c = text[++i];
    words.back() += c;
  }
  return words;
}

/// Takes the words of one rule from the left.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text), words_(SplitWords(text)) {}

  bool done() const { return next_ == words_.size(); }
  std::string Take() {
    if (done()) Fail("the end");
    return words_[next_++];
  }
  [[noreturn]] void Fail(std::string_view word) const {
    throw Error(Code::kDecode, fmt::format("parse rule {}: unknown word {}", text_, word));
  }

  uint32_t Number(std::string_view word, uint32_t highest) const {
    const bool hexadecimal = word.starts_with("0x");
    if (hexadecimal) word.remove_prefix(2);
    uint32_t number = 0;
    const char* const end = word.data() + word.size();
    const auto [stop, err] = std::from_chars(word.data(), end, number, hexadecimal ? 16 : 10);
    if (err != std::errc() || stop != end || number > highest) Fail(word);
    return number;
  }
  uint16_t Port(std::string_view word) const {
    return static_cast<uint16_t>(Number(word, UINT16_MAX));
  }
  PortRange Ports(std::string_view word, char between) const {
    const size_t middle = word.find(between);
    if (middle == std::string_view::npos) return {Port(word), Port(word)};
    return {Port(word.substr(0, middle)), Port(word.substr(middle + 1))};
  }
  net::Address Address(std::string_view word) const {
    const std::optional<net::Address> address = net::Address::Parse(word);
    if (!address) Fail(word);
    return *address;
  }
  /// "0x2000/0x2000": the only form of ours, where value and mask are the same.
  uint32_t Bits(std::string_view word) const {
    const size_t slash = word.find('/');
    if (slash == std::string_view::npos) Fail(word);
    const uint32_t bits = Number(word.substr(0, slash), UINT32_MAX);
    if (Number(word.substr(slash + 1), UINT32_MAX) != bits) Fail(word);
    return bits;
  }

 private:
  std::string_view text_;
  std::vector<std::string> words_;
  size_t next_ = 0;
};

SubnetMatch TakeSubnet(Reader& reader, bool negated) {
  const std::string word = reader.Take();
  const std::optional<net::Prefix> subnet = net::Prefix::Parse(word);
  if (!subnet) reader.Fail(word);
  return {*subnet, negated};
}

uint8_t TakeProtocol(Reader& reader) {
  const std::string word = reader.Take();
  for (const Protocol known : {Protocol::kTcp, Protocol::kUdp, Protocol::kSctp}) {
    if (word == NameOf(known)) return static_cast<uint8_t>(known);
  }
  return static_cast<uint8_t>(reader.Number(word, UINT8_MAX));
}

std::vector<PortRange> TakePortList(Reader& reader) {
  const std::string list = reader.Take();
  std::vector<PortRange> ports;
  for (size_t start = 0; start <= list.size();) {
    const size_t comma = std::min(list.find(',', start), list.size());
    ports.push_back(reader.Ports(std::string_view(list).substr(start, comma - start), ':'));
    start = comma + 1;
  }
  return ports;
}

/// "192.0.2.1:80", "[2001:db8::1]:80-89/8080", or an address alone.
Destination TakeDestination(Reader& reader) {
  const std::string word = reader.Take();
  std::string_view text = word;
  std::string_view ports;
  if (text.starts_with('[')) {
    const size_t bracket = std::min(text.find("]:"), text.size());
    ports = bracket < text.size() ? text.substr(bracket + 2) : "";
    text = text.substr(1, bracket - 1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    ports = text.substr(text.find(':') + 1);
    text = text.substr(0, text.find(':'));
  }
  Destination to{reader.Address(text)};
  if (ports.empty()) return to;
  const size_t slash = ports.find('/');
  if (slash != std::string_view::npos) to.base = reader.Port(ports.substr(slash + 1));
  to.ports = reader.Ports(ports.substr(0, slash), '-');
  return to;
}

/// The option of a match or target. @returns false when it is none of them
bool TakeOption(Reader& reader, std::string_view option, Rule& rule) {
  if (option == "--dport") {
    rule.port = reader.Ports(reader.Take(), ':');
  } else if (option == "--icmpv6-type") {
    rule.icmpv6_type = static_cast<uint8_t>(reader.Number(reader.Take(), UINT8_MAX));
  } else if (option == "--dports") {
    rule.ports = TakePortList(reader);
  } else if (option == "--comment") {
    rule.comment = reader.Take();
  } else if (option == "--mark") {
    rule.mark = reader.Bits(reader.Take());
  } else if (option == "--dst-type") {
    rule.to_local = reader.Take() == "LOCAL";
  } else if (option == "--ctstate") {
    const std::string state = reader.Take();
    rule.established = state == "RELATED,ESTABLISHED";
    rule.translated = state == "DNAT";
  } else if (option == "--set-xmark") {
    rule.set_mark = reader.Bits(reader.Take());
  } else if (option == "--to-destination") {
    rule.to = TakeDestination(reader);
  } else {
    return false;
  }
  return true;
}

/// One of the words that come before the matches, or the target. @returns false when it is none
bool TakeHeader(Reader& reader, std::string_view option, bool negated, Rule& rule) {
  if (option == "-s") {
    rule.source = TakeSubnet(reader, negated);
  } else if (option == "-d") {
    rule.destination = TakeSubnet(reader, negated);
  } else if (option == "-i") {
    rule.in = LinkMatch{reader.Take(), negated};
  } else if (option == "-o") {
    rule.out = LinkMatch{reader.Take(), negated};
  } else if (option == "-p") {
    rule.protocol = TakeProtocol(reader);
  } else if (option == "-j") {
    rule.target = reader.Take();
  } else {
    return false;
  }
  return true;
}

}  // namespace

Rule ParseRule(std::string_view text) {
  Reader reader(text);
  Rule rule;
  while (!reader.done()) {
    std::string option = reader.Take();
    const bool negated = option == "!";
    if (negated) option = reader.Take();
    if (TakeHeader(reader, option, negated, rule)) continue;
    if (option == "-m") {
      const std::string match = reader.Take();
      if (match == kSomeConditions) rule.conditions = {option, match};
    } else if (negated || !TakeOption(reader, option, rule)) {
      reader.Fail(option);
    }
  }
  return rule;
}

}  // namespace cnm::firewall::iptables
