// command_line.cc: a cnmctl command's options and arguments.
#include "cnm/cli/command_line.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>

#include <fmt/format.h>

namespace cnm::cli {
namespace {

namespace po = boost::program_options;

/// An option by its name, as every command that takes it has it.
struct Known {
  const char* name;
  const char* value;  ///< what stands for its value in the help
  std::string Options::*text;
  const char* description;
};
constexpr Known kTexts[] = {
    {"network", "NAME", &Options::network, "only this network; also by the beginning of its id"},
    {"container", "ID", &Options::container,
     "only this container; the beginning of its id is enough"},
    {"data-dir", "DIR", &Options::data_dir, "where host-local keeps its leases"},
    {"run-dir", "DIR", &Options::run_dir, "where cnm keeps its records"},
    {"state-dir", "DIR", &Options::state_dir, "where cnmd keeps networks and pools"},
    {"socket", "URL", &Options::socket, "where cnmd listens: unix:// or tcp://"},
    {"driver", "NAME", &Options::driver, "bridge, host, null or a Docker plugin"},
    {"ip-range", "CIDR", &Options::ip_range, "give addresses from this part of the subnet"},
    {"gateway", "ADDRESS", &Options::gateway, "the gateway's address"},
    {"ipam", "NAME", &Options::ipam, "where the addresses come from"},
    {"ip", "ADDRESS", &Options::address, "the endpoint's address"},
    {"mac", "MAC", &Options::mac, "the interface's MAC"},
    {"hostname", "NAME", &Options::host_name, "the container's name for itself"},
};

struct KnownList {
  const char* name;
  const char* value;
  std::vector<std::string> Options::*list;
  const char* description;
};
constexpr KnownList kLists[] = {
    {"subnet", "CIDR", &Options::subnets, "a subnet; may be repeated"},
    {"opt", "KEY=VALUE", &Options::driver_options, "an option of the driver; may be repeated"},
    {"ipam-opt", "KEY=VALUE", &Options::ipam_options, "an option of the IPAM; may be repeated"},
    {"publish", "PORTS", &Options::publish,
     "[ADDRESS:]HOSTPORT:PORT[/tcp|udp|sctp]; may be repeated"},
    {"alias", "NAME", &Options::aliases, "another name; may be repeated"},
};

struct KnownFlag {
  const char* name;
  bool Options::*flag;
  const char* description;
};
constexpr KnownFlag kFlags[] = {
    {"dry-run", &Options::dry_run, "only show"},
    {"apply", &Options::apply, "remove"},
    {"json", &Options::json, "for programs"},
    {"internal", &Options::internal, "no way to the outside"},
    {"ipv6", &Options::ipv6, "IPv6 as well"},
    {"force", &Options::force, "also one that is in use, or that Docker may still know"},
};

/// What goes with the option socket.
void AddTls(po::options_description& all, api::ClientTls& tls) {
  auto add = all.add_options();
  add("tlsverify", po::bool_switch(&tls.verify), "TLS on tcp://; or set CNM_TLS_VERIFY=1");
  const auto file = [](std::string& out) { return po::value(&out)->value_name("FILE"); };
  add("tlscacert", file(tls.files.ca),
      "authority of cnmd's certificate; else ca.pem in "
      "$CNM_CERT_PATH, or in ~/.cnm");
  add("tlscert", file(tls.files.certificate), "our certificate; else cert.pem there");
  add("tlskey", file(tls.files.key), "its key; else key.pem there");
}

}  // namespace

po::options_description OptionsOf(const Command& command, Options& options, bool& help) {
  po::options_description all;
  const std::string names = fmt::format(" {} ", command.takes);
  const auto takes = [&](const char* name) {
    return names.find(fmt::format(" {} ", name)) != std::string::npos;
  };
  auto add = all.add_options();
  for (const Known& known : kTexts) {
    if (!takes(known.name)) continue;
    std::string& out = options.*known.text;
    auto* value = po::value(&out)->value_name(known.value);
    if (!out.empty()) value->default_value(out);
    add(known.name, value, known.description);
  }
  for (const KnownList& known : kLists) {
    if (!takes(known.name)) continue;
    add(known.name, po::value(&(options.*known.list))->value_name(known.value)->composing(),
        known.description);
  }
  for (const KnownFlag& known : kFlags) {
    if (takes(known.name)) {
      add(known.name, po::bool_switch(&(options.*known.flag)), known.description);
    }
  }
  if (takes("tail")) {
    add("tail", po::value(&options.tail)->value_name("N")->default_value(options.tail),
        "the last N lines; 0 = all");
  }
  if (takes("socket")) AddTls(all, options.tls);
  add("help,h", po::bool_switch(&help), "this text");
  return all;
}

void ParseWords(const std::vector<std::string>& words, const po::options_description& described,
                Options& options) {
  po::options_description everything;
  everything.add(described);
  everything.add_options()("argument", po::value(&options.arguments));
  po::positional_options_description positions;
  positions.add("argument", -1);
  po::variables_map values;
  po::store(po::command_line_parser(words).options(everything).positional(positions).run(), values);
  po::notify(values);
}

void CheckArguments(const Command& command, const std::vector<std::string>& arguments) {
  const std::string_view wanted = command.arguments;
  const bool more = wanted.ends_with("...");
  const auto blanks = static_cast<size_t>(std::count(wanted.begin(), wanted.end(), ' '));
  const size_t count = wanted.empty() ? 0 : blanks + 1;
  if (more ? arguments.size() >= count : arguments.size() == count) return;
  if (count == 0) {
    throw std::invalid_argument(
        fmt::format("{}: takes no argument, got {}", command.words, arguments.front()));
  }
  throw std::invalid_argument(
      fmt::format("{}: want {} (cnmctl {} --help)", command.words, wanted, command.words));
}

}  // namespace cnm::cli
