// etc_hosts.cc: a sandbox's /etc/hosts, hosts(5).
#include "cnm/sandbox/etc_hosts.h"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "cnm/sandbox/mounted_file.h"
#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/json/writer.h"

namespace cnm::etc_hosts {
namespace {

constexpr std::string_view kBlanks = " \t";

constexpr std::string_view kEveryHost =
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::0\tip6-localnet\n"
    "ff00::0\tip6-mcastprefix\n"
    "ff02::1\tip6-allnodes\n"
    "ff02::2\tip6-allrouters\n";

/// The words of a line up to its comment.
std::vector<std::string_view> Words(std::string_view line) {
  line = line.substr(0, line.find('#'));
  std::vector<std::string_view> words;
  for (size_t begin = line.find_first_not_of(kBlanks); begin != std::string_view::npos;) {
    const size_t end = std::min(line.find_first_of(kBlanks, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(kBlanks, end);
  }
  return words;
}

/// Calls `each` with every line, its newline included; the last one may have none.
template <class Each>
void ForEachLine(std::string_view text, Each each) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    const size_t size = end == std::string_view::npos ? text.size() : end + 1;
    each(text.substr(0, size));
    text.remove_prefix(size);
  }
}

std::string_view WithoutNewline(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  return line;
}

/// Whether the line says exactly this.
bool Says(std::string_view line, const Record& record) {
  const std::vector<std::string_view> words = Words(WithoutNewline(line));
  if (words.empty() || net::Address::Parse(words[0]) != record.address) return false;
  const std::vector<std::string_view> names = Words(record.names);
  return std::equal(words.begin() + 1, words.end(), names.begin(), names.end());
}

bool Has(std::string_view text, const Record& record) {
  bool found = false;
  ForEachLine(text, [&](std::string_view line) { found = found || Says(line, record); });
  return found;
}

void RequireNames(const std::string& names) {
  const auto bad = [](char c) {
    return (static_cast<unsigned char>(c) < ' ' && c != '\t') || c == '\x7f' || c == '#';
  };
  if (std::any_of(names.begin(), names.end(), bad) || Words(names).empty()) {
    throw Error(Code::kConfig,
                fmt::format("invalid host names: {}", json::Writer().String(names).Take()));
  }
}

void Append(std::string& text, const Record& record) {
  RequireNames(record.names);
  text += fmt::format("{}\t{}\n", record.address.ToString(), record.names);
}

MountedFile OpenPresent(const std::string& path) {
  if (!MountedFile::Exists(path)) {
    throw SystemError(Code::kIo, fmt::format("read {}", path), ENOENT);
  }
  return MountedFile(path);
}

}  // namespace

bool IsName(std::string_view text) {
  return !text.empty() && std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '#' || c == '\x7f';
  });
}

std::optional<Record> MakeSelf(const net::Address& address, const std::string& host,
                               const std::string& domain) {
  if (host.empty()) return std::nullopt;
  return Record{address, domain.empty() ? host : fmt::format("{0}.{1} {0}", host, domain)};
}

std::string Build(const std::optional<Record>& self, const std::vector<Record>& extra) {
  std::string text;
  if (self) Append(text, *self);
  text += kEveryHost;
  for (const Record& record : extra) Append(text, record);
  return text;
}

std::string Add(std::string_view text, const std::vector<Record>& records) {
  std::string all(text);
  for (const Record& record : records) {
    if (Has(all, record)) continue;
    if (!all.empty() && !all.ends_with('\n')) all += '\n';
    Append(all, record);
  }
  return all;
}

std::string Remove(std::string_view text, const std::vector<Record>& records) {
  std::string rest;
  ForEachLine(text, [&](std::string_view line) {
    const auto says = [&](const Record& record) { return Says(line, record); };
    if (std::none_of(records.begin(), records.end(), says)) rest += line;
  });
  return rest;
}

std::string Update(std::string_view text, const net::Address& address, std::string_view name) {
  std::string all;
  ForEachLine(text, [&](std::string_view line) {
    const std::vector<std::string_view> words = Words(WithoutNewline(line));
    const auto old = words.empty() ? std::nullopt : net::Address::Parse(words[0]);
    if (!old || old->family() != address.family() ||
        std::find(words.begin() + 1, words.end(), name) == words.end() ||
        kEveryHost.find(line) != std::string_view::npos) {
      all += line;
      return;
    }
    const auto begin = static_cast<size_t>(words[0].data() - line.data());
    all += line.substr(0, begin);
    all += address.ToString();
    all += line.substr(begin + words[0].size());
  });
  return all;
}

void WriteFile(const std::string& path, const std::optional<Record>& self,
               const std::vector<Record>& extra) {
  MountedFile(path).Write(Build(self, extra));
}

void CopyFile(const std::string& origin, const std::string& path) {
  MountedFile(path).Write(ReadFile(origin).value_or(""));
}

void AddToFile(const std::string& path, const std::vector<Record>& records) {
  if (records.empty()) return;
  MountedFile file = OpenPresent(path);
  file.Write(Add(file.Read().value_or(""), records));
}

void UpdateFile(const std::string& path, const net::Address& address, std::string_view name) {
  MountedFile file = OpenPresent(path);
  file.Write(Update(file.Read().value_or(""), address, name));
}

void RemoveFromFile(const std::string& path, const std::vector<Record>& records) {
  if (records.empty() || !MountedFile::Exists(path)) return;
  MountedFile file(path);
  const std::optional<std::string> text = file.Read();
  if (text) file.Write(Remove(*text, records));
}

}  // namespace cnm::etc_hosts
