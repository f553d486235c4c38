// global.cc: what stands before dnet's command.
#include "cnm/dnet/global.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "cnm/dnet/flags.h"
#include "common/base/error.h"

namespace cnm::dnet {
namespace {

constexpr char kDefaultHost[] = "tcp://0.0.0.0:2385";

Flags FlagsInto(Global& global) {
  Flags flags;
  flags.Bool("-d --daemon", global.daemon, "be the daemon");
  flags.Text("-H --host", global.host, "the daemon's address, tcp://HOST:PORT");
  flags.Text("-l --log-level", global.log_level, "debug, info, warn, error, fatal or panic");
  flags.Bool("-D --debug", global.debug, "log every request");
  flags.Text("-c --cfg-file", global.config_file, "the daemon's configuration");
  flags.Bool("--tlsverify", global.tls.verify, "TLS, proving by certificates who is who");
  flags.Text("--tlscacert", global.tls.files.ca, "their authority; else ca.pem in $CNM_CERT_PATH");
  flags.Text("--tlscert", global.tls.files.certificate, "our certificate; else cert.pem there");
  flags.Text("--tlskey", global.tls.files.key, "its key; else key.pem there");
  flags.Bool("-h --help", global.help, "print this text");
  flags.Bool("-v --version", global.version, "print the version");
  return flags;
}

}  // namespace

Global ParseGlobal(const std::vector<std::string>& words, const std::string& environment) {
  Global global;
  global.words = FlagsInto(global).Parse(words, true);
  if (global.host.empty()) global.host = environment;
  if (global.host.empty()) global.host = kDefaultHost;
  return global;
}

std::string GlobalHelp() {
  Global global;
  return fmt::format(
      "Usage: dnet [OPTIONS] COMMAND [arg...]\n\n"
      "Networks, services and sandboxes of the Container Network Model.\n\n"
      "Commands:\n"
      "  network      create, rm, ls, info\n"
      "  service      publish, unpublish, attach, detach, ls, info\n"
      "  container    create, rm: sandboxes for scripts\n"
      "  help         print this text\n\n"
      "Options:\n{}\n"
      "  dnet network create -d bridge blue\n"
      "  dnet service publish web.blue\n"
      "  dnet container create c1 && dnet service attach c1 web.blue\n",
      FlagsInto(global).Description());
}

void CheckLogLevel(const std::string& level) {
  constexpr std::array<std::string_view, 7> kLevels = {"debug", "info",  "warn", "warning",
                                                       "error", "fatal", "panic"};
  if (std::find(kLevels.begin(), kLevels.end(), level) != kLevels.end()) return;
  throw Error(Code::kEnvironment, fmt::format("Unable to parse logging level: {}", level));
}

http::ServerAddress ServerOf(const std::string& host) {
  constexpr std::string_view kScheme = "tcp://";
  if (!host.starts_with(kScheme)) {
    throw Error(Code::kConfig, "dnet currently only supports tcp transport");
  }
  const std::string_view rest = std::string_view(host).substr(kScheme.size());
  return http::ParseServerAddress(rest.starts_with(':') ? fmt::format("tcp://0.0.0.0{}", rest)
                                                        : host);
}

std::string ListenAddress(const std::string& host, bool tls) {
  const http::ServerAddress server = ServerOf(host);
  const bool all = server.host == "0.0.0.0" && !tls;
  const bool ipv6 = server.host.find(':') != std::string::npos;
  if (ipv6) return fmt::format("[{}]:{}", server.host, server.port);
  return fmt::format("{}:{}", all ? "127.0.0.1" : server.host, server.port);
}

}  // namespace cnm::dnet
