// command_table.cc: what cnmctl's commands are called, take and tell about themselves.
#include "cnm/cli/command_table.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace cnm::cli {
namespace {

constexpr Command kCommands[] = {
    {"network ls", "", "list networks, whoever made them", "network json socket run-dir state-dir",
     ListNetworks,
     "A CNI network is recorded when its first container starts and stays until a reboot; one "
     "that\n"
     "cnmctl network create, dnet or Docker made stays until it is removed. DOORS are the ways it "
     "is\n"
     "known by: cni, api, docker. ENDPOINTS counts every recorded endpoint, also dead ones. Root\n"
     "reads the records; members of group cnm are told by cnmd.\n\n"
     "  cnmctl network ls\n  cnmctl network ls --json | jq -r '.[].name'\n"},
    {"endpoint ls", "", "list endpoints: one per container interface",
     "network container json socket run-dir state-dir", ListEndpoints,
     "STATE is ready; created when no container has joined it yet; pending while an operation "
     "runs\n"
     "or after one was killed; dead when the host link is provably gone. RUNTIME is the program\n"
     "that asked for it, DOOR the way it came: cni, docker or api. NAME is the endpoint's, of "
     "Docker\n"
     "its container's, where the Docker Engine says it. Root reads the records; members of group "
     "cnm\n"
     "are told by cnmd.\n\n"
     "  cnmctl endpoint ls --network blue\n  cnmctl endpoint ls --container 3f2a\n"},
    {"lease ls", "", "list host-local's addresses and who holds them",
     "network container data-dir json run-dir", ListLeases,
     "HOLDER is the state of the endpoint that holds the address, or \"no record\" for leases "
     "made\n"
     "by other plugins.\n\n"
     "  cnmctl lease ls --network blue\n"},
    {"firewall", "", "show what is programmed in the packet filters, by owner",
     "network container json run-dir", ShowFirewall,
     "STATE is ok; dead when its container is gone (cnmctl gc removes it); missing when a record\n"
     "has it and the packet filter does not (cnmctl reload adds it); no record when nobody knows\n"
     "its owner; shared for what all endpoints of a bridge share. Exits 1 when rules are "
     "missing.\n\n"
     "  cnmctl firewall --network blue\n  cnmctl firewall --json | jq -r '.[].rule'\n"},
    {"reload", "", "program every endpoint's rules anew", "json run-dir", Reload,
     "For use after nft flush ruleset, a firewalld reload or a start of Docker. Replays the rules\n"
     "of all live endpoints from their records, each packet filter in one transaction, and sets\n"
     "host sysctls and gateway addresses again. Links and leases are not touched.\n\n"
     "  cnmctl reload\n"},
    {"log", "", "show the last calls of every door with the time of each step",
     "network container tail json run-dir", ShowLog,
     "The flight recorder keeps the last 2048 calls in /run/cnm/log. BY is the plugin, or the "
     "door\n"
     "api or docker. ENDPOINT is the endpoint's name, for plugins the interface's, of Docker an "
     "id.\n"
     "CODE 0 is success; other codes are the CNI specification's, from 100 on ours; of the other\n"
     "doors they are HTTP's.\n\n"
     "  cnmctl log --tail 5\n  cnmctl log --container 3f2a --json\n"},
    {"gc", "", "remove what dead containers left on a network",
     "network dry-run apply json run-dir", CollectGarbage,
     "Only what is provably dead goes: endpoints whose host link is gone, and those a killed\n"
     "operation abandoned. Live containers are never touched. See first, then do:\n\n"
     "  cnmctl gc --network blue --dry-run\n  cnmctl gc --network blue --apply\n"},
    {"network create", "NAME", "make a network",
     "driver subnet ip-range gateway opt internal ipv6 ipam ipam-opt socket", CreateNetwork,
     "For containers attached by cnmctl or dnet, and for those of CNI and Docker that name it.\n"
     "Prints the id. Without --driver it is a bridge of the same name, without --subnet the\n"
     "addresses come from a free range. The first subnet is the one that --gateway and --ip-range\n"
     "are in.\n\n"
     "  cnmctl network create orange --subnet 10.63.0.0/24\n"
     "  cnmctl network create dual --ipv6 --subnet 10.64.0.0/24 --subnet fd00:64::/64\n"},
    {"network rm", "NETWORK...", "delete networks that have no endpoint", "force socket",
     RemoveNetworks,
     "Networks are named by name, or by the beginning of their id. Those of Docker and of CNI are\n"
     "removed where they were made; one that Docker does not know any more, because cnmd was away\n"
     "when it was deleted there, by --force. So is one of a network or IPAM plugin that is gone "
     "for\n"
     "good; what the plugin has of it stays there.\n\n"
     "  cnmctl network rm orange dual\n  cnmctl network rm --force 3f2a9c417b60\n"},
    {"pool ls", "", "list pools that Docker gave to networks of other drivers", "json socket",
     ListPools,
     "A pool of docker network create --driver macvlan --ipam-driver cnm, say. Pools of bridge\n"
     "networks come and go with their network.\n\n  cnmctl pool ls\n"},
    {"pool rm", "POOL...", "release pools that Docker has forgotten", "force socket", RemovePools,
     "Docker releases its pools itself; cnmd may have been away when it did. All uses of the pool\n"
     "end, and what it gave is free.\n\n"
     "  cnmctl pool rm --force LocalDefault/192.0.2.0/24\n"},
    {"network inspect", "NETWORK...", "show a network: pools, options, endpoints",
     "json socket run-dir state-dir", InspectNetworks,
     "Networks are named by name, or by the beginning of their id, whoever made them. cnmd tells\n"
     "of those that it made.\n\n"
     "  cnmctl network inspect blue\n"
     "  cnmctl network inspect blue --json | jq -r '.ipv4[0].pool'\n"},
    {"endpoint create", "NETWORK NAME", "make an endpoint: an address on a network",
     "ip mac publish alias socket", CreateEndpoint,
     "Prints the id. The same as cnmctl service publish NAME.NETWORK. A container joins it with\n"
     "cnmctl service attach.\n\n"
     "  cnmctl endpoint create blue web --publish 8080:80 --alias www\n"
     "  cnmctl endpoint create blue db --ip 10.60.0.9\n"},
    {"endpoint rm", "NETWORK NAME", "delete an endpoint", "force socket", RemoveEndpoint,
     "One that a sandbox has joined is kept, unless forced.\n\n  cnmctl endpoint rm blue web\n"},
    {"endpoint inspect", "NETWORK NAME", "show an endpoint: addresses, sandbox, ports",
     "json socket run-dir state-dir", InspectEndpoint,
     "NAME is the endpoint's, or the beginning of its id or of its container's.\n\n"
     "  cnmctl endpoint inspect blue web\n"
     "  cnmctl endpoint inspect blue web --json | jq -r .address\n"},
    {"service ls", "", "list services: endpoints made through cnmd", "network json socket",
     ListServices,
     "A service is an endpoint by its name on a network; its container is the one attached.\n\n"
     "  cnmctl service ls --network blue\n"},
    {"service publish", "SERVICE[.NETWORK]", "publish a service", "ip mac publish alias socket",
     PublishService,
     "A service is an endpoint that containers are attached to by its name. Prints the id. "
     "Without\n"
     "a network it is on the daemon's default one (defaultnetwork in cnmd.toml).\n\n"
     "  cnmctl service publish web.blue --publish 8080:80\n"},
    {"service unpublish", "SERVICE[.NETWORK]", "remove a service", "force socket", UnpublishService,
     "One that a container is attached to is kept, unless forced.\n\n"
     "  cnmctl service unpublish web.blue\n"},
    {"service attach", "CONTAINER SERVICE[.NETWORK]", "make a container the service's backend",
     "alias socket", AttachService,
     "Prints the path of the container's network namespace. With --alias TARGET:NAME the "
     "container\n"
     "alone knows the service TARGET also by NAME.\n\n"
     "  cnmctl sandbox create c1\n  cnmctl service attach c1 web.blue\n"},
    {"service detach", "CONTAINER SERVICE[.NETWORK]", "take a container from a service", "socket",
     DetachService,
     "The service stays, with its address.\n\n  cnmctl service detach c1 web.blue\n"},
    {"service inspect", "SERVICE[.NETWORK]", "show a service", "json socket", InspectService,
     "Its addresses, sandbox, container and published ports.\n\n"
     "  cnmctl service inspect web.blue\n"},
    {"sandbox ls", "", "list sandboxes: containers' network stacks made by cnmd",
     "container json socket", ListSandboxes,
     "NAMESPACE is the file to enter it by: nsenter --net=NAMESPACE ip address\n\n"
     "  cnmctl sandbox ls --container c1\n"},
    {"sandbox create", "CONTAINER", "make a sandbox for a container", "hostname socket",
     CreateSandbox,
     "Prints the id. For containers that no runtime with a network of its own runs.\n\n"
     "  cnmctl sandbox create c1 --hostname web\n"},
    {"sandbox rm", "CONTAINER", "delete a container's sandbox; it leaves its services", "socket",
     RemoveSandbox,
     "Its network namespace goes, too, if cnmd made it.\n\n  cnmctl sandbox rm c1\n"},
};

}  // namespace

std::span<const Command> Commands() {
  return kCommands;
}

std::string Overview(std::string_view noun) {
  std::string records;
  std::string asking;
  for (const Command& command : Commands()) {
    const std::string_view words = command.words;
    if (!noun.empty() && words.substr(0, words.find(' ')) != noun) continue;
    const bool asks = std::string_view(command.takes).ends_with("socket");
    (asks ? asking : records) +=
        fmt::format("  cnmctl {:<17}  {}\n", command.words, command.summary);
  }
  return fmt::format(
      "cnmctl: see and mend what cnm keeps of networks, endpoints and addresses\n{}{}{}{}\n"
      "Every command tells more with --help, and prints JSON with --json where it prints a "
      "table.\n",
      records.empty() ? "" : "\nThese need no daemon:\n", records,
      asking.empty() ? "" : "\nThese ask cnmd:\n", asking);
}

bool IsNoun(std::string_view word) {
  return std::any_of(std::begin(kCommands), std::end(kCommands), [&](const Command& command) {
    const std::string_view words = command.words;
    const size_t blank = words.find(' ');
    return blank != std::string_view::npos && words.substr(0, blank) == word;
  });
}

}  // namespace cnm::cli
