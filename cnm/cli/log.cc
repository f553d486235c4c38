// log.cc: cnmctl log: the flight recorder, for people and machines.
#include <cstdio>

#include <fmt/format.h>

#include "cnm/cli/commands.h"
#include "cnm/cli/open.h"
#include "cnm/cli/table.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/json/object.h"

namespace cnm::cli {
namespace {

struct Line {
  std::string text;  ///< the whole JSON line
  std::string time, verb, plugin, network, container, ifname, endpoint, message, steps;
  int64_t code = 0;
};

std::string StepsOf(const json::Object& o) {
  std::string text;
  const auto steps = o.OptionalObject("steps");
  if (!steps) return text;
  for (const std::string& key : steps->Keys()) {
    int64_t microseconds = 0;
    steps->Optional(key, microseconds);
    if (!text.empty()) text += " ";
    text += fmt::format("{}={}", key, microseconds);
  }
  return text;
}

/// nullopt for a line that a killed writer left torn.
std::optional<Line> Decode(const std::string& text) {
  try {
    const json::Object o = json::Parse(text, "log line");
    Line line;
    line.text = text;
    o.Optional("time", line.time);
    o.Optional("verb", line.verb);
    o.Optional("plugin", line.plugin);
    o.Optional("network", line.network);
    o.Optional("container", line.container);
    o.Optional("ifname", line.ifname);
    o.Optional("endpoint", line.endpoint);
    o.Optional("msg", line.message);
    o.Optional("code", line.code);
    line.steps = StepsOf(o);
    return line;
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool Wanted(const Line& line, const Options& options) {
  return (options.network.empty() || line.network == options.network) &&
         (line.container.starts_with(options.container) ||
          (!line.endpoint.empty() && line.endpoint.starts_with(options.container)));
}

}  // namespace

int ShowLog(const Options& options) {
  RequireRecords(options);
  std::vector<Line> lines;
  for (const std::string& text : RingLog(options.run_dir + "/log").Read()) {
    std::optional<Line> line = Decode(text);
    if (line && Wanted(*line, options)) lines.push_back(*std::move(line));
  }
  const size_t first =
      options.tail == 0 || lines.size() <= options.tail ? 0 : lines.size() - options.tail;
  Table table(
      {"TIME", "VERB", "BY", "NETWORK", "CONTAINER", "ENDPOINT", "CODE", "STEPS (us)", "MESSAGE"});
  for (size_t i = first; i < lines.size(); ++i) {
    const Line& line = lines[i];
    if (options.json) {
      std::puts(line.text.c_str());
    } else {
      table.Add({line.time, line.verb, line.plugin, line.network, line.container.substr(0, 12),
                 line.endpoint.empty() ? line.ifname : line.endpoint.substr(0, 12),
                 fmt::to_string(line.code), line.steps, line.message});
    }
  }
  if (!options.json) std::fputs(table.ToString().c_str(), stdout);
  return 0;
}

}  // namespace cnm::cli
