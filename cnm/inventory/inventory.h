// inventory.h: all networks and endpoints of this host, whichever door made them, as people ask for
// them.
//
// Theory of operation: one network may be known by several doors, each by an id of its own: the
// core's, the engine's, Docker's. Everything is read from the records of all of them, which are
// written before anything is done, so it is as true without a daemon as with one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cnm/controller.h"

namespace cnm::inventory {

/// A door's own words for a network.
struct Membership {
  std::string door;       ///< "cni", "api", "docker"
  std::string id;         ///< as its clients know it
  std::string name = {};  ///< as they call it; "" where Docker does not tell
  bool operator==(const Membership&) const = default;
};

struct Subnet {
  std::string pool;     ///< CIDR
  std::string gateway;  ///< an address; "" = unknown
  bool operator==(const Subnet&) const = default;
};

struct NetworkEntry {
  std::string name;
  std::string driver;
  std::string options = "{}";  ///< the driver's, a JSON object
  int endpoints = 0;           ///< recorded, also dead ones
  bool internal = false;
  std::vector<Membership> doors = {};
  std::vector<Subnet> subnets = {};

  /// The door's membership; nullptr = the door does not know it.
  const Membership* Find(std::string_view door) const;
  /// The id to show: the first known of the API's, Docker's and the core's.
  const std::string& id() const;
  bool operator==(const NetworkEntry&) const = default;
};

struct EndpointEntry {
  std::string network;
  std::string id = {};         ///< of the API and Docker; "" of CNI's
  std::string name = {};       ///< as the API's clients call it
  std::string container = {};  ///< the container's id; "" = none has joined, or nobody told
  std::string ifname = {};     ///< in the container, where it is known
  std::string state;           ///< as StateOf
  std::string owner = {};
  std::string driver;
  std::string door;
  std::string runtime = {};
  std::string sandbox = {};
  std::string host_link = {};
  std::string mac = {};
  std::vector<std::string> addresses = {};  ///< CIDR
  bool operator==(const EndpointEntry&) const = default;
};

struct Inventory {
  std::vector<NetworkEntry> networks;    ///< by name
  std::vector<EndpointEntry> endpoints;  ///< in the order of their records
};

/// Where records are.
struct Places {
  std::string runtime = "/run/cnm";
  std::string durable = "/var/lib/cnm";
};

/// Reads all records. Those that cannot be read are named on stderr. @throws Error kIo
Inventory Take(Controller& controller, const Places& places);

/// "ready", "created", "pending" or "dead".
std::string StateOf(const Endpoint& endpoint, Controller& controller);

/// The network of that name in any door's words, or of that id or beginning of an id.
/// @throws Error kNotFound; kConfig when several networks' ids begin so
const NetworkEntry& GetNetwork(const Inventory& inventory, const std::string& name_or_id);

/// {"networks":[...],"endpoints":[...]}, and back. @throws Error kDecode
std::string Encode(const Inventory& inventory);
Inventory Decode(std::string_view json);
/// One object of it.
std::string Encode(const NetworkEntry& network);
std::string Encode(const EndpointEntry& endpoint);

}  // namespace cnm::inventory
