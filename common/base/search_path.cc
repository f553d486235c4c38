// search_path.cc: finding programs.
#include "common/base/search_path.h"

#include <unistd.h>

#include <cstdlib>

#include <fmt/format.h>

namespace cnm {
namespace {

constexpr std::string_view kUsualPath = "/usr/sbin:/usr/bin:/sbin:/bin";

/// The first of the directories for which `take` gives something.
template <class Take>
auto FirstOf(std::string_view path, const Take& take) -> decltype(take(path)) {
  for (bool more = true; more;) {
    const size_t colon = path.find(':');
    if (auto found = take(path.substr(0, colon))) return found;
    more = colon != std::string_view::npos;
    if (more) path.remove_prefix(colon + 1);
  }
  return {};
}

}  // namespace

std::optional<FoundFile> FindInPath(std::string_view name, std::string_view path) {
  return FirstOf(path, [&](std::string_view directory) -> std::optional<FoundFile> {
    FoundFile file{fmt::format("{}/{}", directory.empty() ? "." : directory, name)};
    const bool regular =
        ::stat(file.path.c_str(), &file.status) == 0 && S_ISREG(file.status.st_mode);
    if (!regular) return std::nullopt;
    return file;
  });
}

std::string ProgramPath() {
  const char* const path = ::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  if (path == nullptr || *path == '\0') return std::string(kUsualPath);
  return fmt::format("{}:{}", path, kUsualPath);
}

std::optional<std::string> FindProgram(std::string_view name) {
  return FirstOf(ProgramPath(), [&](std::string_view directory) -> std::optional<std::string> {
    if (!directory.starts_with('/')) return std::nullopt;
    std::string program = fmt::format("{}/{}", directory, name);
    if (::access(program.c_str(), X_OK) != 0) return std::nullopt;
    return program;
  });
}

}  // namespace cnm
