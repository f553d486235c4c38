// main.cc: cnmctl, the operator's window into cnm.
#include <cstdio>
#include <exception>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <boost/program_options.hpp>

#include "cnm/cli/commands.h"
#include "common/base/error.h"

namespace {

namespace po = boost::program_options;
using cnm::cli::Options;

/// One command: the words that name it, the options it takes, and what it tells the reader.
struct Command {
  const char* words;
  const char* summary;
  const char* takes;  ///< names of its options, separated by spaces
  int (*run)(const Options&);
  const char* explanation;
};

constexpr Command kCommands[] = {
    {"network ls", "list networks", "network json run-dir", cnm::cli::ListNetworks,
     "A network is recorded at the first ADD of a CNI configuration and stays until a reboot.\n"
     "ENDPOINTS counts every recorded endpoint, also dead ones.\n\n"
     "  cnmctl network ls\n  cnmctl network ls --json | jq -r '.[].name'\n"},
    {"endpoint ls", "list endpoints: one per container interface", "network container json run-dir",
     cnm::cli::ListEndpoints,
     "STATE is ready; pending while an operation runs or after one was killed; dead when the host\n"
     "link is provably gone. RUNTIME is the program that asked for it.\n\n"
     "  cnmctl endpoint ls --network blue\n  cnmctl endpoint ls --container 3f2a\n"},
    {"lease ls", "list host-local's addresses and who holds them",
     "network container data-dir json run-dir", cnm::cli::ListLeases,
     "HOLDER is the state of the endpoint that holds the address, or \"no record\" for leases "
     "made\n"
     "by other plugins.\n\n"
     "  cnmctl lease ls --network blue\n"},
    {"firewall", "show what is programmed in the packet filters, by owner",
     "network container json run-dir", cnm::cli::ShowFirewall,
     "STATE is ok; dead when its container is gone (cnmctl gc removes it); missing when a record\n"
     "has it and the packet filter does not (cnmctl reload adds it); no record when nobody knows\n"
     "its owner; shared for what all endpoints of a bridge share. Exits 1 when rules are "
     "missing.\n\n"
     "  cnmctl firewall --network blue\n  cnmctl firewall --json | jq -r '.[].rule'\n"},
    {"reload", "program every endpoint's rules anew", "json run-dir", cnm::cli::Reload,
     "For use after nft flush ruleset, a firewalld reload or a start of Docker. Replays the rules\n"
     "of all live endpoints from their records, each packet filter in one transaction, and sets\n"
     "host sysctls and gateway addresses again. Links and leases are not touched.\n\n"
     "  cnmctl reload\n"},
    {"log", "show the last invocations with the time of each step",
     "network container tail json run-dir", cnm::cli::ShowLog,
     "The flight recorder keeps the last 2048 calls in /run/cnm/log. CODE 0 is success; other\n"
     "codes are the CNI specification's, from 100 on ours.\n\n"
     "  cnmctl log --tail 5\n  cnmctl log --container 3f2a --json\n"},
    {"gc", "remove what dead containers left on a network", "network dry-run apply json run-dir",
     cnm::cli::CollectGarbage,
     "Only what is provably dead goes: endpoints whose host link is gone, and those a killed\n"
     "operation abandoned. Live containers are never touched. See first, then do:\n\n"
     "  cnmctl gc --network blue --dry-run\n  cnmctl gc --network blue --apply\n"},
};

po::options_description OptionsOf(const Command& command, Options& options) {
  po::options_description all;
  const auto takes = [&](const std::string& name) {
    return fmt::format(" {} ", command.takes).find(" " + name + " ") != std::string::npos;
  };
  auto add = all.add_options();
  if (takes("network")) {
    add("network", po::value(&options.network)->value_name("NAME"), "only this network");
  }
  if (takes("container")) {
    add("container", po::value(&options.container)->value_name("ID"),
        "only this container; the beginning of its id is enough");
  }
  if (takes("tail")) {
    add("tail", po::value(&options.tail)->value_name("N")->default_value(options.tail),
        "the last N lines; 0 = all");
  }
  if (takes("dry-run")) add("dry-run", po::bool_switch(&options.dry_run), "only show");
  if (takes("apply")) add("apply", po::bool_switch(&options.apply), "remove");
  if (takes("data-dir")) {
    add("data-dir",
        po::value(&options.data_dir)->value_name("DIR")->default_value(options.data_dir),
        "where host-local keeps its leases");
  }
  if (takes("json")) add("json", po::bool_switch(&options.json), "for programs");
  add("run-dir", po::value(&options.run_dir)->value_name("DIR")->default_value(options.run_dir),
      "where cnm keeps its records");
  add("help,h", "this text");
  return all;
}

void PrintOverview(std::FILE* out) {
  std::string text = "cnmctl: see and mend what cnm keeps of networks, endpoints and addresses\n\n";
  for (const Command& command : kCommands) {
    text += fmt::format("  cnmctl {:<12}  {}\n", command.words, command.summary);
  }
  text += "\nEvery command takes --help, and --json where it prints a table.\n";
  std::fputs(text.c_str(), out);
}

void PrintHelp(const Command& command, const po::options_description& options) {
  std::ostringstream described;
  described << options;
  std::fputs(fmt::format("cnmctl {} [OPTIONS]: {}\n\n{}\n{}", command.words, command.summary,
                         command.explanation, described.str())
                 .c_str(),
             stdout);
}

/// The command whose words the arguments begin with; nullptr if none. Those words are taken off.
const Command* TakeCommand(std::vector<std::string>& arguments) {
  for (const Command& command : kCommands) {
    const std::string words = command.words;
    const size_t count = words.find(' ') == std::string::npos ? 1 : 2;
    if (arguments.size() < count) continue;
    std::string given = arguments[0];
    if (count == 2) given += " " + arguments[1];
    if (given != words) continue;
    arguments.erase(arguments.begin(), arguments.begin() + static_cast<std::ptrdiff_t>(count));
    return &command;
  }
  return nullptr;
}

int Run(std::vector<std::string> arguments) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h" ||
      arguments[0] == "help") {
    PrintOverview(stdout);
    return 0;
  }
  if (arguments[0] == "--version") {
    std::puts("cnmctl " CNM_VERSION);
    return 0;
  }
  const Command* command = TakeCommand(arguments);
  if (command == nullptr) {
    std::fputs("cnmctl: no such command\n\n", stderr);
    PrintOverview(stderr);
    return 2;
  }
  Options options;
  const po::options_description described = OptionsOf(*command, options);
  po::variables_map values;
  // No positional arguments anywhere: a stray word is an error, not silence.
  po::store(po::command_line_parser(arguments).options(described).positional({}).run(), values);
  po::notify(values);
  if (values.count("help") != 0) {
    PrintHelp(*command, described);
    return 0;
  }
  return command->run(options);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return Run({argv + 1, argv + argc});
  } catch (const cnm::Error& e) {
    std::fputs(
        fmt::format("cnmctl: {}{}{}\n", e.message(), e.details().empty() ? "" : "; ", e.details())
            .c_str(),
        stderr);
    return 1;
  } catch (const std::exception& e) {
    std::fputs(fmt::format("cnmctl: {}\n", e.what()).c_str(), stderr);
    return 2;
  }
}
