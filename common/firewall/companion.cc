// companion.cc: the programs that come with ours and hold what has no static library.
#include "common/firewall/companion.h"

#include <unistd.h>

#include <array>
#include <climits>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::firewall {
namespace {

constexpr std::string_view kLibraryFolder = "/usr/libexec/cnm";

/// The folder of the running program; "" if it cannot be read.
std::string OwnFolder() {
  std::array<char, PATH_MAX> path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  if (length <= 0) return "";
  const std::string_view self(path.data(), static_cast<size_t>(length));
  return std::string(self.substr(0, self.rfind('/')));
}

}  // namespace

std::string FindCompanion(std::string_view program) {
  std::string beside = fmt::format("{}/{}", OwnFolder(), program);
  if (::access(beside.c_str(), X_OK) == 0) return beside;
  std::string installed = fmt::format("{}/{}", kLibraryFolder, program);
  if (::access(installed.c_str(), X_OK) == 0) return installed;
  throw Error(Code::kUnavailable, fmt::format("find {}: not installed", program),
              fmt::format("sought as {} and {}", beside, installed));
}

}  // namespace cnm::firewall
