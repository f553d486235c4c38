// sandbox_namespace.h: the network namespace of a sandbox: a file it is mounted on, and the links
// that move in and out.
//
// Every function may be called from any thread; work inside a namespace runs on a thread of its
// own.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cnm/engine/engine.h"
#include "common/net/mac.h"
#include "common/netns/netns.h"

namespace cnm::engine {

/// Makes a new namespace with its loopback up, mounted on `path`, whose directory is made if
/// missing. @throws Error kNetns "create network namespace PATH: reason"
netns::Identity MakeNamespace(const std::string& path);

/// Mounts the namespace `source` on `path` and sets its loopback up. @throws Error kNetns
netns::Identity BindNamespace(const std::string& path, const netns::NetNs& source);

/// Unmounts and removes the file. @returns false when there was none. @throws Error kNetns
bool RemoveNamespace(const std::string& path);

/// The namespace at `path` if it is that one.
std::optional<netns::NetNs> FindNamespace(const std::string& path, const netns::Identity& identity);

/// A link that waits, on the host or in the sandbox already, and what it is to be there.
struct InterfacePlan {
  std::string src_name;
  bool in_sandbox = false;
  std::string dst_prefix;  ///< the lowest free number behind it is taken
  std::string dst_name;    ///< an exact name instead; "" = by the prefix
  std::optional<net::Mac> mac;
  std::vector<net::Prefix> addresses;
  std::vector<StaticRoute> routes;
};

/// Moves the link from `host` into the sandbox unless it is there, where it gets its name, MAC,
/// addresses and routes and is set up. `journal` is told the name before the link has it.
/// @throws Error kKernel naming the step; the link may be in the sandbox then
void AddInterface(const netns::NetNs& sandbox, const netns::NetNs& host, const InterfacePlan& plan,
                  const std::function<void(const std::string& name)>& journal);

/// Takes the link down and gives it back to `host` under its old name. @returns false when it is
/// not in the sandbox. @throws Error kKernel
bool ReturnInterface(const netns::NetNs& sandbox, const netns::NetNs& host, const std::string& name,
                     const std::string& host_name);

/// A default route of one family.
struct DefaultRoute {
  std::optional<net::Address> gateway = {};
  std::string link = {};
};

/// Makes `wanted` the default route of `family`, and removes the one that goes to another of the
/// gateways `known`. Other people's routes stay. @throws Error kKernel "set gateway ..."
void SetDefaultRoute(const netns::NetNs& sandbox, net::Family family, const DefaultRoute& wanted,
                     const std::vector<net::Address>& known);

/// The counters of the links (/proc/net/dev), as far as they are there.
std::map<std::string, InterfaceStatistics> ReadStatistics(const netns::NetNs& sandbox,
                                                          const std::vector<std::string>& links);
/// The same from the file's text.
std::map<std::string, InterfaceStatistics> ParseStatistics(const std::string& text);

}  // namespace cnm::engine
