// commands.h: what cnmctl can do.
#pragma once

#include <string>
#include <vector>

#include "cnm/api/client_tls.h"

namespace cnm::cli {

/// The options of every command, as given.
struct Options {
  std::string run_dir = "/run/cnm";
  std::string data_dir = "/var/lib/cni/networks";
  std::string state_dir = "/var/lib/cnm";
  std::string network;    ///< "" = all
  std::string container;  ///< "" = all; a prefix is enough
  bool json = false;
  bool dry_run = false;
  bool apply = false;
  unsigned tail = 50;  ///< log lines; 0 = all

  std::vector<std::string> arguments;  ///< what is no option
  std::string socket = "unix:///run/cnm/cnmd.sock";
  api::ClientTls tls;  ///< where the socket is TCP
  std::string driver;
  std::vector<std::string> subnets;
  std::string ip_range;
  std::string gateway;
  std::vector<std::string> driver_options;  ///< "KEY=VALUE"
  std::string ipam;
  std::vector<std::string> ipam_options;  ///< "KEY=VALUE"
  bool internal = false;
  bool ipv6 = false;
  std::string address;
  std::string mac;
  std::vector<std::string> publish;  ///< "[ADDRESS:]HOSTPORT:PORT[/PROTOCOL]"
  std::vector<std::string> aliases;
  std::string host_name;
  bool force = false;
};

/// Each prints to stdout and returns the exit code. @throws Error
/// The two lists ask cnmd where the caller may not read the records.
int ListNetworks(const Options& options);
int ListEndpoints(const Options& options);
int ListLeases(const Options& options);
int ShowLog(const Options& options);
int ShowFirewall(const Options& options);
int Reload(const Options& options);
int CollectGarbage(const Options& options);

/// These ask cnmd. @throws Error kUnavailable when it does not run
int CreateNetwork(const Options& options);
int RemoveNetworks(const Options& options);
int InspectNetworks(const Options& options);
int CreateEndpoint(const Options& options);
int RemoveEndpoint(const Options& options);
int InspectEndpoint(const Options& options);
int ListServices(const Options& options);
int PublishService(const Options& options);
int UnpublishService(const Options& options);
int AttachService(const Options& options);
int DetachService(const Options& options);
int InspectService(const Options& options);
int ListPools(const Options& options);
int RemovePools(const Options& options);
int ListSandboxes(const Options& options);
int CreateSandbox(const Options& options);
int RemoveSandbox(const Options& options);

}  // namespace cnm::cli
