// resolv_conf.cc: the text of a sandbox's /etc/resolv.conf, resolv.conf(5).
#include "cnm/sandbox/resolv_conf.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/base/error.h"
#include "common/json/writer.h"

namespace cnm::resolv_conf {
namespace {

constexpr std::string_view kBlanks = " \t\r\v\f";
constexpr std::string_view kEmbeddedServer = "127.0.0.11";
constexpr std::string_view kResolvedStub = "127.0.0.53";

/// The words of a line up to its comment.
std::vector<std::string> Words(std::string_view line) {
  if (line.starts_with(';')) return {};
  line = line.substr(0, line.find('#'));
  std::vector<std::string> words;
  for (size_t begin = line.find_first_not_of(kBlanks); begin != std::string_view::npos;) {
    const size_t end = std::min(line.find_first_of(kBlanks, begin), line.size());
    words.emplace_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(kBlanks, end);
  }
  return words;
}

/// Calls `each` with every line, without its newline.
template <class Each>
void ForEachLine(std::string_view text, Each each) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    each(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

/// The server of a `nameserver` line; "" of any other line.
std::string Nameserver(std::string_view line) {
  const std::vector<std::string> words = Words(line);
  return words.size() >= 2 && words[0] == "nameserver" ? words[1] : "";
}

/// An address, of which a zone behind '%' is cut off.
std::optional<net::Address> WithoutZone(std::string_view server) {
  return net::Address::Parse(server.substr(0, server.find('%')));
}

bool IsReachable(std::string_view server, const Filter& filter) {
  const std::optional<net::Address> address = WithoutZone(server);
  if (!address) return true;  // no address: not ours to judge, and not counted either
  if (address->IsLoopback() || address->IsUnspecified()) return false;
  if (server.find('%') != std::string_view::npos) return false;
  return address->is_v4() || filter.ipv6;
}

void RequireWord(const std::string& word) {
  const auto bad = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; };
  if (word.empty() || word.find('#') != std::string::npos ||
      std::any_of(word.begin(), word.end(), bad)) {
    throw Error(Code::kConfig,
                fmt::format("invalid resolver setting: {}", json::Writer().String(word).Take()));
  }
}

std::string Line(std::string_view keyword, const std::vector<std::string>& words) {
  std::for_each(words.begin(), words.end(), RequireWord);
  return fmt::format("{} {}\n", keyword, fmt::join(words, " "));
}

}  // namespace

Settings Parse(std::string_view text) {
  Settings settings;
  ForEachLine(text, [&](std::string_view line) {
    std::vector<std::string> words = Words(line);
    if (words.size() < 2) return;
    const std::string keyword = words[0];
    words.erase(words.begin());
    if (keyword == "nameserver") settings.nameservers.push_back(words[0]);
    if (keyword == "search") settings.search = words;
    if (keyword == "domain") settings.search = {words[0]};
    if (keyword == "options") settings.options = words;
  });
  return settings;
}

std::string Build(const Settings& settings) {
  std::string text;
  const bool root_only = settings.search == std::vector<std::string>{"."};
  if (!settings.search.empty() && !root_only) text += Line("search", settings.search);
  for (const std::string& server : settings.nameservers) text += Line("nameserver", {server});
  if (!settings.options.empty()) text += Line("options", settings.options);
  return text;
}

Settings Complete(Settings user, const Settings& host) {
  if (user.nameservers.empty()) user.nameservers = host.nameservers;
  if (user.search.empty()) user.search = host.search;
  if (user.options.empty()) user.options = host.options;
  return user;
}

std::vector<net::Address> PublicNameservers(bool ipv6) {
  constexpr std::array<std::string_view, 4> kServers = {
      "8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844"};
  std::vector<net::Address> servers;
  for (const std::string_view server : kServers) {
    const std::optional<net::Address> address = net::Address::Parse(server);
    if (address && (address->is_v4() || ipv6)) servers.push_back(*address);
  }
  return servers;
}

std::string FilterNameservers(std::string_view text, const Filter& filter) {
  std::string kept;
  bool any = false;
  ForEachLine(text, [&](std::string_view line) {
    const std::string server = Nameserver(line);
    if (!server.empty() && !IsReachable(server, filter)) return;
    any = any || net::Address::Parse(server).has_value();
    kept += line;
    kept += '\n';
  });
  if (any) return kept;
  for (const net::Address& server : filter.fallback) {
    kept += fmt::format("nameserver {}\n", server.ToString());
  }
  return kept;
}

Embedded UseEmbedded(std::string_view text) {
  const Settings host = Parse(text);
  Settings inside{.nameservers = {std::string(kEmbeddedServer)},
                  .search = host.search,
                  .options = host.options};
  Embedded embedded;
  for (const std::string& server : host.nameservers) {
    const std::optional<net::Address> address = net::Address::Parse(server);
    if (!address) continue;
    if (address->is_v4()) {
      embedded.upstream.push_back(*address);
    } else if (IsReachable(server, {})) {
      inside.nameservers.push_back(server);
    }
  }
  const auto is_ndots = [](const std::string& option) { return option.starts_with("ndots:"); };
  if (std::none_of(host.options.begin(), host.options.end(), is_ndots)) {
    inside.options.emplace_back("ndots:0");
  }
  embedded.text = Build(inside);
  return embedded;
}

bool IsResolvedStub(std::string_view text) {
  return Parse(text).nameservers == std::vector<std::string>{std::string(kResolvedStub)};
}

}  // namespace cnm::resolv_conf
