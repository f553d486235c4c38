// kin.h: endpoints of a closed network that may reach one another: what Docker calls links
// (libnetwork.md §10.1). A parent reaches the ports that its child exposes, and nothing else.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "cnm/endpoint.h"
#include "common/firewall/firewall.h"

namespace cnm::local {

/// The endpoints that a join asks to be linked with, by their ids.
struct Kin {
  std::vector<std::string> parents = {};   ///< that reach it
  std::vector<std::string> children = {};  ///< that it reaches
  bool empty() const { return parents.empty() && children.empty(); }
};

/// Reads ParentEndpoints and ChildEndpoints under "com.docker.network.generic" of a sandbox's
/// labels, a JSON object or "". A generic label that is no object has none.
/// @throws Error kDecode when one is not a list of texts
Kin DecodeKin(const std::string& labels);

/// What an endpoint's link with this one is recorded under: "kin ID"; and of whom it has such.
std::string KinPlugin(std::string_view peer_id);
std::vector<std::string> KinOf(const Endpoint& endpoint);

/// What lets the parent reach the ports that the child exposes, in each family that both have.
/// Exposed ports of other protocols than tcp, udp and sctp are none.
std::vector<firewall::Passage> MakePassages(const Endpoint& parent, const Endpoint& child,
                                            const std::string& bridge);

/// Who asked to be linked with whom: links are in the records of those who asked, and end with the
/// others too, because addresses get new owners. All functions may be called from several threads.
class KinBook {
 public:
  /// The endpoint's record tells of its links; notes them.
  void Note(const Endpoint& endpoint);
  /// Who asked to be linked with this endpoint.
  std::vector<EndpointKey> AskersFor(const std::string& endpoint_id) const;
  /// Everybody with whom somebody asked to be linked.
  std::vector<EndpointKey> Peers() const;
  /// It asks for nothing any more.
  void ForgetAsker(const EndpointKey& key);
  /// Nobody is linked with it any more.
  void Forget(const std::string& endpoint_id);

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<EndpointKey>> askers_;
};

}  // namespace cnm::local
