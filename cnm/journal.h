// journal.h: the records of networks and endpoints in the runtime store.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cnm/endpoint.h"
#include "cnm/network.h"
#include "cnm/store/store.h"

namespace cnm {

/// Typed access to the runtime store. An unreadable record is moved to quarantine and counts as
/// absent: it never blocks a DEL. A record of a newer schema is reported (kTryAgain) and left in
/// place.
class Journal {
 public:
  explicit Journal(Store& store) : store_(store) {}

  std::optional<Endpoint> FindEndpoint(std::string_view owner);
  /// Only while holding the owner's lock.
  void Write(const Endpoint& endpoint);
  /// @returns false if there was none
  bool RemoveEndpoint(std::string_view owner);
  std::vector<Endpoint> Endpoints();

  std::optional<Network> FindNetwork(std::string_view name);
  /// @returns false when somebody else changed it since FindNetwork gave `expected` (nullopt: was
  /// absent)
  bool Write(const Network& network, const std::optional<Network>& expected);
  bool RemoveNetwork(std::string_view name);
  std::vector<Network> Networks();

 private:
  Store& store_;
};

}  // namespace cnm
