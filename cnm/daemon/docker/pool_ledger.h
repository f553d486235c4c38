// pool_ledger.h: which of our pools Docker holds, and for which of its networks.
//
// Theory of operation: Docker requests a pool, then its gateway, then creates the network; it
// releases both and deletes the network. A call that is not answered it repeats for 15 s, then it
// forgets what the call was about. So what Docker means can be told from the order alone: a grant
// that no address was ever requested from was not received; a network whose pool was released has
// ended, even if its deletion never came; a network that was deleted gives up its pool, even if the
// release never comes. Pools of networks of other drivers are in `uses` alone, and nothing is
// concluded about them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cnm/engine/values.h"

namespace cnm::docker {

struct PoolLedger {
  /// s: Docker requests pools right before it creates their network, each call repeated for 15 s.
  static constexpr int64_t kCreationTime = 60;

  /// A pool, from its request until the first request for one of its addresses.
  struct Grant {
    std::string asked;      ///< the request as text
    std::string pool = {};  ///< its id; "" = not known to be given
    int64_t since = 0;      ///< s since 1970
    bool operator==(const Grant&) const = default;
  };
  /// A network that was deleted before its pools were released.
  struct Deleted {
    std::vector<std::string> pools;
    int64_t since = 0;  ///< s since 1970
    bool operator==(const Deleted&) const = default;
  };

  std::map<std::string, uint32_t> uses = {};    ///< by pool id: requests that were not released
  std::map<std::string, int64_t> granted = {};  ///< by pool id: the last one, s since 1970
  std::map<std::string, Grant> open = {};       ///< by the name the request has for the driver
  std::map<std::string, std::vector<std::string>> networks = {};  ///< by network id: its pools' ids
  std::map<std::string, Deleted> deleted = {};                    ///< by network id
  /// Releases of pools of `networks` that no deletion has followed yet.
  std::map<std::string, uint32_t> released = {};
  /// By pool id: the names of the requests that its uses are of. An earlier release kept none.
  std::map<std::string, std::vector<std::string>> names = {};
  /// Releases that are under way: a pool id by the request's name.
  std::map<std::string, std::string> releasing = {};

  /// Docker uses the pool, so one grant was received, unless that one has been closed already. A
  /// gateway is requested right after its pool: this was the last. @returns whether one was closed
  bool Close(const std::string& pool_id, bool gateway);
  /// One use more, of the request with this name.
  void Gain(const std::string& pool_id, int64_t now, const std::string& request = {});
  /// Takes off the name of a use that is to be released: `wanted`, or if that is "" any. @returns
  /// "" when there is none
  std::string TakeName(const std::string& pool_id, const std::string& wanted);
  /// One use less. @returns false when there was none
  bool Lose(const std::string& pool_id);
  /// Notes which of our pools are the network's: those that Docker has just requested. The network
  /// of another allocator may have the subnet of one that has been in use for long. Of a network
  /// that is known it is known already. @returns whether the network is new
  bool AddNetwork(const engine::NetworkConfig& network, int64_t now);
  void RemoveNetwork(const std::string& id, int64_t now);
  /// Uses of pools that are no network's in `networks` or `deleted`.
  std::map<std::string, uint32_t> Unattached() const;
  /// The networks that have ended: a pool of theirs has no use any more.
  std::vector<std::string> Ended() const;

  bool operator==(const PoolLedger&) const = default;
};

/// A JSON document, and back. @throws Error kDecode
std::string Encode(const PoolLedger& ledger);
PoolLedger DecodePoolLedger(std::string_view json);

}  // namespace cnm::docker
