// resolv_conf.cc: reads resolver settings in the form of resolv.conf(5).
#include "ipam/host_local/resolv_conf.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include <fmt/format.h>

#include "common/base/atomic_file.h"
#include "common/base/error.h"

namespace cnm::host_local {
namespace {

std::vector<std::string> Fields(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r\v\f";
  std::vector<std::string> fields;
  size_t begin = line.find_first_not_of(kBlanks);
  while (begin != std::string_view::npos) {
    const size_t end = std::min(line.find_first_of(kBlanks, begin), line.size());
    fields.emplace_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(kBlanks, end);
  }
  return fields;
}

void ReadLine(std::string_view line, ResolvConf& conf) {
  if (line.empty() || line[0] == '#' || line[0] == ';') return;
  const std::vector<std::string> fields = Fields(line);
  if (fields.size() < 2) return;
  const auto values = fields.begin() + 1;
  if (fields[0] == "nameserver") conf.nameservers.push_back(*values);
  if (fields[0] == "domain") conf.domain = *values;
  if (fields[0] == "search") conf.search.insert(conf.search.end(), values, fields.end());
  if (fields[0] == "options") conf.options.insert(conf.options.end(), values, fields.end());
}

}  // namespace

ResolvConf ParseResolvConf(std::string_view text) {
  ResolvConf conf;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    ReadLine(text.substr(0, end), conf);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return conf;
}

ResolvConf ReadResolvConf(const std::string& path) {
  const std::optional<std::string> text = ReadFile(path, size_t{1} << 20);
  if (!text) throw SystemError(Code::kIo, fmt::format("read {}", path), ENOENT);
  return ParseResolvConf(*text);
}

}  // namespace cnm::host_local
