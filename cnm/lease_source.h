// lease_source.h: addresses that a caller has chosen, leased in host-local's directory of the
// network: what the REST API's and Docker's endpoints stand on, so that they and CNI's containers
// never share an address.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cnm/address_source.h"
#include "ipam/host_local/lease_directory.h"

namespace cnm {

/// The lease directory of a network, as every door opens it.
host_local::LeaseDirectory OpenLeases(const std::string& data_dir, const std::string& network);

/// Who holds an address between its request from a pool and the creation of its endpoint:
/// {kReservedId, "pool:192.0.2.7"}.
host_local::Owner PoolOwner(const net::Address& address);

/// An address and the network in whose directory it is leased.
struct LeasedGrant {
  AddressGrant grant;
  std::string network;
};

/// What one endpoint is to have.
struct LeaseSpec {
  std::string data_dir;
  std::string endpoint_id;
  std::vector<LeasedGrant> grants;
};

/// The leases of one endpoint. An address that its pool holds becomes the endpoint's and goes back
/// to the pool; any other is taken and freed.
class LeaseSource final : public AddressSource {
 public:
  explicit LeaseSource(LeaseSpec spec);
  /// What a journal was written of. @throws Error kDecode
  static LeaseSource FromJournal(std::string_view journal);
  /// Whether this journal text is a LeaseSource's.
  static bool Wrote(std::string_view journal);

  /// @throws Error kInUse "address 192.0.2.7 of network blue is taken", naming the holder
  Addressing Request() override;
  /// Back to the pool, or free: their pool is told by whoever asked it.
  void Release() override;
  /// Free, wherever they came from: nobody will tell the pool.
  void Free();
  /// @throws Error kNotFound
  void Check() override;
  /// In the form of the CNI door's host-local delegate, so that any program of ours can release it.
  std::string Journal() const override;

 private:
  host_local::Owner owner() const { return {spec_.endpoint_id, ""}; }
  void Take(const LeasedGrant& wanted);

  LeaseSpec spec_;
  std::vector<std::string> networks_;  ///< where there may be leases, each once
  std::vector<net::Address> pooled_;   ///< those that came from the pool
};

}  // namespace cnm
