// address_source.h: where an endpoint's addresses come from.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/net/prefix.h"

namespace cnm {

/// One address for an endpoint.
struct AddressGrant {
  net::Prefix prefix;                   ///< the address with its subnet's length
  std::optional<net::Address> gateway;  ///< of that subnet
  bool operator==(const AddressGrant&) const = default;
};

/// A route an endpoint wants, before it is known which link carries it. Zero = not given.
struct RouteSpec {
  net::Prefix destination;
  std::optional<net::Address>
      gateway;  ///< absent: the first gateway of the family among the grants
  uint32_t mtu = 0;
  uint32_t advmss = 0;
  uint32_t priority = 0;
  std::optional<uint32_t> table;
  std::optional<uint8_t> scope;
  bool operator==(const RouteSpec&) const = default;
};

/// Resolver settings that come with the addresses or the network.
struct DnsSettings {
  std::vector<std::string> nameservers;
  std::string domain;
  std::vector<std::string> search;
  std::vector<std::string> options;

  bool empty() const {
    return nameservers.empty() && domain.empty() && search.empty() && options.empty();
  }
  bool operator==(const DnsSettings&) const = default;
};

/// What a request for addresses gives.
struct Addressing {
  std::vector<AddressGrant> addresses;
  std::vector<RouteSpec> routes;
  DnsSettings dns;
  bool operator==(const Addressing&) const = default;
};

/// Gives addresses to one endpoint and takes them back. One implementation for each front door: the
/// CNI IPAM delegate, the pools of the API. An object is bound to its endpoint when it is made.
class AddressSource {
 public:
  virtual ~AddressSource() = default;
  /// @throws Error of the IPAM, unchanged
  virtual Addressing Request() = 0;
  /// Succeeds when there is nothing to release.
  virtual void Release() = 0;
  /// @throws Error when the addresses are no longer held
  virtual void Check() = 0;
  /// What must be kept in the journal so that another process can make this source again and
  /// Release: opaque JSON text.
  virtual std::string Journal() const = 0;
};

}  // namespace cnm
