// main.cc: the plugin program. It has many names, one for each plugin, as hard links or copies;
// argv[0] says which one runs.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "common/base/file_lock.h"
#include "common/base/log.h"
#include "plugins/cni/main.h"
#include "plugins/ipam/host-local/host_local.h"
#include "plugins/main/bridge/bridge.h"
#include "plugins/main/loopback/loopback.h"
#include "plugins/meta/bandwidth/bandwidth.h"
#include "plugins/meta/firewall/firewall.h"
#include "plugins/meta/portmap/portmap.h"
#include "plugins/meta/tuning/tuning.h"

namespace cnm {
namespace {

constexpr std::array<const cni::Plugin*, 7> kPlugins = {
    &bridge::kPlugin,          &host_local::kPlugin, &loopback::kPlugin, &portmap::kPlugin,
    &firewall_plugin::kPlugin, &tuning::kPlugin,     &bandwidth::kPlugin};

/// Runtimes give a call 60 seconds; our own error must come before theirs.
constexpr unsigned kProcessWaitSeconds = 50;

/// A standard stream that was closed would be reused by the next file we open, and our output would
/// be written into that file.
void OccupyClosedStreams() {
  std::array<pollfd, 3> streams{{{0, 0, 0}, {1, 0, 0}, {2, 0, 0}}};
  if (::poll(streams.data(), streams.size(), 0) <= 0) return;
  for (const pollfd& stream : streams) {
    if ((stream.revents & POLLNVAL) == 0) continue;
    // The wrong way round, so that reading stdin and writing stdout still fail.
    const int mode = stream.fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY;
    [[maybe_unused]] const int fd = ::open("/dev/null", mode);  // the lowest free number: this one
  }
}

std::string_view BaseName(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

int ReportUnknownName(std::string_view name) {
  std::string known;
  for (const cni::Plugin* plugin : kPlugins) {
    fmt::format_to(std::back_inserter(known), "{}{}", known.empty() ? "" : ", ", plugin->name);
  }
  Warn(fmt::format("no plugin is named {:?}: call this program by one of the names {}", name,
                   known));
  return 1;
}

int Run(int argc, char** argv) {
  OccupyClosedStreams();
  LimitProcessWait(kProcessWaitSeconds);
  const std::string_view name = argc > 0 ? BaseName(argv[0]) : "";
  const cni::Plugin* plugin = cni::FindPlugin(kPlugins, name);
  if (plugin == nullptr) return ReportUnknownName(name);
  return cni::Main(*plugin, {.environment = cni::Environment(::environ),
                             .registry = kPlugins,
                             .program_version = CNM_VERSION});
}

}  // namespace
}  // namespace cnm

int main(int argc, char** argv) {
  return cnm::Run(argc, argv);
}
