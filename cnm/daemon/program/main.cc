// main.cc: cnmd, the daemon: the REST API and Docker's plugin protocol.
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <boost/program_options.hpp>

#include "cnm/daemon/config/config.h"
#include "cnm/daemon/daemon.h"
#include "cnm/daemon/doors.h"
#include "cnm/engine/set_key.h"
#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/base/log.h"

namespace {

namespace po = boost::program_options;
using cnm::daemon::Config;

constexpr char kConfigFile[] = "/etc/cnm/cnmd.toml";

constexpr char kHelp[] =
    "cnmd [OPTIONS]: networks for dnet, REST clients and the Docker Engine\n\n"
    "Serves the REST API on a unix socket and, for Docker, the network and IPAM driver \"cnm\".\n"
    "Needs root. Stop it with SIGTERM; it may be killed at any time: endpoints go on working.\n\n"
    "  cnmd --check                       read the configuration and say what is wrong\n"
    "  cnmd --listen 127.0.0.1:2385       REST API for dnet, too\n"
    "  cnmd --listen 0.0.0.0:2386 --tlsverify\n"
    "                                     for other hosts: only to clients with a certificate of\n"
    "                                     /etc/cnm/tls/ca.pem; cert.pem and key.pem are ours\n"
    "  docker network create -d cnm --ipam-driver cnm blue\n\n";

/// What the command line says; what it does not say, the file decides.
struct Flags {
  std::string config = kConfigFile;
  bool check = false;
  bool no_docker = false;
  bool userland_proxy = false;
};

/// Flags that set a file of TLS.
struct TlsFlag {
  const char* name;
  std::string cnm::http::TlsFiles::*member;
  const char* explanation;
};
constexpr TlsFlag kTlsFlags[] = {
    {"tlscacert", &cnm::http::TlsFiles::ca, "authority of the clients' certificates"},
    {"tlscert", &cnm::http::TlsFiles::certificate, "our certificate"},
    {"tlskey", &cnm::http::TlsFiles::key, "its key"},
};

/// Flags that set a text of the configuration.
struct TextFlag {
  const char* name;
  std::string Config::*member;
  const char* argument;
  const char* explanation;
};
constexpr TextFlag kTextFlags[] = {
    {"socket", &Config::socket, "PATH", "unix socket of the REST API"},
    {"group", &Config::group, "NAME", "may use that socket besides root"},
    {"docker-socket", &Config::docker_socket, "PATH", "unix socket for Docker"},
    {"default-network", &Config::default_network, "NAME", "made at the start"},
    {"default-driver", &Config::default_driver, "TYPE", "of networks without one"},
    {"run-dir", &Config::runtime_directory, "DIR", "records that live until a reboot"},
    {"state-dir", &Config::durable_directory, "DIR", "networks and pools"},
    {"lease-dir", &Config::lease_directory, "DIR", "addresses, shared with CNI"},
};

po::options_description MakeOptions(Flags& flags) {
  po::options_description all("Options");
  auto add = all.add_options();
  add("config,c", po::value(&flags.config)->value_name("FILE")->default_value(flags.config),
      "TOML, see conf/cnmd.toml; the default one need not exist");
  add("debug,D", "a line on stderr for each request");
  add("listen,l", po::value<std::vector<std::string>>()->value_name("ADDRESS:PORT"),
      "TCP for the REST API; may be repeated. Without --tlsverify only a loopback address");
  add("tlsverify", "TLS on TCP, and only for clients with a certificate");
  for (const TlsFlag& flag : kTlsFlags) {
    add(flag.name, po::value<std::string>()->value_name("FILE"), flag.explanation);
  }
  for (const TextFlag& flag : kTextFlags) {
    add(flag.name, po::value<std::string>()->value_name(flag.argument), flag.explanation);
  }
  add("no-docker", po::bool_switch(&flags.no_docker), "do not serve Docker");
  add("userland-proxy", po::bool_switch(&flags.userland_proxy),
      "also serve published ports where the packet filter does not lead to the container");
  add("check", po::bool_switch(&flags.check), "read the configuration, then exit");
  add("version", "print the version");
  add("help,h", "this text");
  return all;
}

Config ReadAll(const Flags& flags, const po::variables_map& values) {
  Config config;
  const bool named = !values["config"].defaulted();
  if (named || ::access(flags.config.c_str(), F_OK) == 0) {
    for (const std::string& warning : cnm::daemon::ReadConfigFile(flags.config, config)) {
      cnm::Warn(warning);
    }
  }
  for (const TextFlag& flag : kTextFlags) {
    if (values.count(flag.name) != 0) config.*flag.member = values[flag.name].as<std::string>();
  }
  if (values.count("debug") != 0) config.debug = true;
  if (values.count("listen") != 0) config.tcp = values["listen"].as<std::vector<std::string>>();
  if (values.count("tlsverify") != 0) config.tls_verify = true;
  for (const TlsFlag& flag : kTlsFlags) {
    if (values.count(flag.name) == 0) continue;
    config.tls_files.*flag.member = values[flag.name].as<std::string>();
  }
  if (flags.no_docker) config.docker = false;
  if (flags.userland_proxy) config.userland_proxy = true;
  return config;
}

int Run(int argc, char** argv) {
  Flags flags;
  const po::options_description options = MakeOptions(flags);
  po::variables_map values;
  // No positional arguments: a stray word is an error, not silence.
  po::store(po::command_line_parser(argc, argv).options(options).positional({}).run(), values);
  po::notify(values);
  if (values.count("help") != 0) {
    std::ostringstream described;
    described << options;
    std::fputs(fmt::format("{}{}", kHelp, described.str()).c_str(), stdout);
    return 0;
  }
  if (values.count("version") != 0) {
    std::puts("cnmd " CNM_VERSION);
    return 0;
  }
  const Config config = ReadAll(flags, values);
  if (!flags.check) return cnm::daemon::RunDaemon({.config = config});
  cnm::daemon::CheckDoors(config);
  return 0;
}

/// A container runtime starts us by this name as its hook.
bool IsSetKey(std::string_view program) {
  return program.substr(program.rfind('/') + 1) == cnm::engine::kSetKeyProgram;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc > 0 && IsSetKey(argv[0])) {
      constexpr size_t kStateLimit = size_t{1} << 20;
      cnm::engine::RunSetKey({argv + 1, argv + argc},
                             cnm::ReadAll(STDIN_FILENO, kStateLimit, "the container's state"));
      return 0;
    }
    return Run(argc, argv);
  } catch (const cnm::Error& e) {
    std::fputs(
        fmt::format("cnmd: {}{}{}\n", e.message(), e.details().empty() ? "" : "; ", e.details())
            .c_str(),
        stderr);
    return 1;
  } catch (const std::exception& e) {
    std::fputs(fmt::format("cnmd: {}\n", e.what()).c_str(), stderr);
    return 2;
  }
}
