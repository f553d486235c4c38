// main.cc: dnet, libnetwork's command line, on cnm's REST API.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "cnm/daemon/config/config.h"
#include "cnm/daemon/daemon.h"
#include "cnm/dnet/commands.h"
#include "cnm/dnet/flags.h"
#include "cnm/dnet/global.h"
#include "common/base/error.h"
#include "common/base/log.h"

namespace {

using cnm::dnet::Global;
using cnm::dnet::Words;

void Print(std::FILE* out, const std::string& text) {
  std::fputs(text.c_str(), out);
}

void RunClient(const std::string& program, const Global& global) {
  cnm::http::ServerAddress server = cnm::dnet::ServerOf(global.host);
  server.tls = cnm::api::ResolveTls(global.tls);
  const cnm::api::Client client({.server = std::move(server),
                                 .refusal = "error : ",
                                 .unreachable = "error when trying to connect: "});
  std::string out;
  const Words words{global.words.begin() + 1, global.words.end()};
  const cnm::dnet::Call call{.client = client, .program = program, .words = words, .out = &out};
  const std::string& group = global.words.front();
  if (group == "network") cnm::dnet::RunNetwork(call);
  if (group == "service") cnm::dnet::RunService(call);
  if (group == "container") cnm::dnet::RunContainer(call);
  Print(stdout, out);
}

/// The file to configure the daemon by; "" when none was asked for and the usual one is not there.
std::string ConfigFileOf(const Global& global) {
  constexpr char kUsual[] = "/etc/default/libnetwork.toml";
  if (!global.config_file.empty()) return global.config_file;
  const char* named = std::getenv("LIBNETWORK_CFG");
  if (named != nullptr && *named != 0) return named;
  return ::access(kUsual, F_OK) == 0 ? kUsual : "";
}

/// The daemon for experiments: TCP, the driver "test", and a network to use by default.
int Serve(const Global& global) {
  cnm::daemon::DaemonOptions options;
  options.test_plugin = true;
  cnm::daemon::Config& config = options.config;
  config.socket.clear();
  config.docker = false;
  if (const std::string file = ConfigFileOf(global); !file.empty()) {
    for (const std::string& warning : cnm::daemon::ReadConfigFile(file, config)) {
      cnm::Warn(warning);
    }
  }
  if (config.default_network.empty()) config.default_network = "bridge";
  config.debug = config.debug || global.debug;
  if (const auto files = cnm::api::ResolveTls(global.tls)) {
    config.tls_verify = true;
    config.tls_files = *files;
  }
  config.tcp = {cnm::dnet::ListenAddress(global.host, config.tls_verify)};
  return cnm::daemon::RunDaemon(options);
}

/// What is not a command of the API's. @returns whether it was done
bool RunLocally(const Global& global) {
  if (global.version) {
    Print(stdout, "dnet version " CNM_VERSION "\n");
    return true;
  }
  const std::string command = global.words.empty() ? "help" : global.words.front();
  if (global.help || command == "help" || command == "h") {
    Print(stdout, cnm::dnet::GlobalHelp());
    return true;
  }
  if (command == "network" || command == "service" || command == "container") return false;
  // Scripts rely on the exit code 0.
  Print(stdout, fmt::format("No help topic for '{}'\n", command));
  return true;
}

int Run(const std::string& program, const Words& arguments) {
  Global global;
  try {
    const char* host = std::getenv("DNET_HOST");
    global = cnm::dnet::ParseGlobal(arguments, host == nullptr ? "" : host);
  } catch (const cnm::Error& error) {
    Print(stdout,
          fmt::format("Incorrect Usage. {}\n\n{}", error.message(), cnm::dnet::GlobalHelp()));
    return 0;
  }
  cnm::dnet::CheckLogLevel(global.log_level);
  if (global.daemon && !global.help && !global.version) return Serve(global);
  if (!RunLocally(global)) RunClient(program, global);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run(argv[0], {argv + 1, argv + argc});
  } catch (const cnm::Error& error) {
    const bool more = !error.details().empty();
    Print(stderr, fmt::format("{}{}{}\n", error.message(), more ? "; " : "", error.details()));
  } catch (const std::exception& error) {
    Print(stderr, fmt::format("{}\n", error.what()));
  }
  return 1;
}
