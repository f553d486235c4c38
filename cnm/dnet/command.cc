// command.cc: what dnet's client commands share: arguments, help, names.
#include <algorithm>

#include <fmt/format.h>

#include "cnm/dnet/commands.h"
#include "common/base/error.h"

namespace cnm::dnet {
namespace {

std::string UsageLine(const std::string& group, const Usage& usage) {
  return fmt::format("Usage: dnet {} {} [OPTIONS] {}\n\n{}\n", group, usage.name, usage.arguments,
                     usage.summary);
}

/// Why so many arguments are wrong; "" if they are right.
std::string Complaint(const Usage& usage, size_t count) {
  const auto [least, exact] = usage.arity;
  if (exact ? count == least : count >= least) return {};
  const char* plural = least == 1 ? "" : "s";
  if (exact && least == 0) return fmt::format("\"{}\" requires no arguments", usage.name);
  return fmt::format("\"{}\" requires {}{} argument{}", usage.name, exact ? "" : "a minimum of ",
                     least, plural);
}

}  // namespace

Words ParseCommand(const Call& call, const std::string& group, const Usage& usage, Flags flags,
                   bool& helped) {
  flags.Bool("--help #-h", helped, "print this text");
  Words arguments;
  try {
    arguments = flags.Parse({call.words.begin() + 1, call.words.end()});
  } catch (Error& error) {
    throw Error(error.code(),
                fmt::format("{}\nSee '{} {} --help'.", error.message(), call.program, usage.name));
  }
  if (helped) {
    *call.out = fmt::format("{}\n{}", UsageLine(group, usage), flags.Description());
    return {};
  }
  const std::string complaint = Complaint(usage, arguments.size());
  if (complaint.empty()) return arguments;
  throw Error(Code::kEnvironment, fmt::format("docker: {}.\nSee '{} {} --help'.\n\n{}", complaint,
                                              call.program, usage.name, UsageLine(group, usage)));
}

std::string ShownId(const std::string& id, bool whole) {
  return whole ? id : id.substr(0, 12);
}

ServiceName SplitServiceName(const std::string& text) {
  const size_t dot = text.rfind('.');
  if (dot == std::string::npos) return {text, ""};
  return {text.substr(0, dot), text.substr(dot + 1)};
}

std::map<std::string, std::string> ParseOptions(const std::vector<std::string>& given) {
  std::map<std::string, std::string> options;
  for (std::string_view list : given) {
    while (!list.empty()) {
      const size_t end = std::min(list.find(','), list.size());
      const std::string_view pair = list.substr(0, end);
      list.remove_prefix(std::min(end + 1, list.size()));
      const size_t equals = pair.find('=');
      if (equals == 0 || equals == std::string_view::npos) {
        throw Error(Code::kEnvironment, fmt::format("option {}: want KEY=VALUE", pair));
      }
      options[std::string(pair.substr(0, equals))] = pair.substr(equals + 1);
    }
  }
  return options;
}

}  // namespace cnm::dnet
