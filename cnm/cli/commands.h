// commands.h: what cnmctl can do.
#pragma once

#include <string>

namespace cnm::cli {

/// The options of every command, as given.
struct Options {
  std::string run_dir = "/run/cnm";
  std::string data_dir = "/var/lib/cni/networks";
  std::string network;    ///< "" = all
  std::string container;  ///< "" = all; a prefix is enough
  bool json = false;
  bool dry_run = false;
  bool apply = false;
  unsigned tail = 50;  ///< log lines; 0 = all
};

/// Each prints to stdout and returns the exit code. @throws Error
int ListNetworks(const Options& options);
int ListEndpoints(const Options& options);
int ListLeases(const Options& options);
int ShowLog(const Options& options);
int ShowFirewall(const Options& options);
int Reload(const Options& options);
int CollectGarbage(const Options& options);

}  // namespace cnm::cli
