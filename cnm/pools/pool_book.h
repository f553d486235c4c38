// pool_book.h: the durable record of one address space: its pools, and whose they are.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "cnm/store/store.h"
#include "common/net/prefix.h"
#include "ipam/pool.h"

namespace cnm::pools {

/// Whether we serve it.
bool IsAddressSpace(std::string_view space);
/// @throws Error kConfig as ipam::PoolId::Parse; kNotFound "pool X: no such pool" for one of
/// another address space
ipam::PoolId ParsePoolId(const std::string& pool_id);

/// What is known of a pool besides its uses.
struct PoolState {
  std::string network = {};                  ///< the cnm network it belongs to; "" = none
  std::optional<net::Address> gateway = {};  ///< the one that was requested
  /// Requests that have a name (cnm/engine/pool_request.h), and the pool each was given.
  std::map<std::string, std::string> requests = {};
  bool operator==(const PoolState&) const = default;
};

/// `states` has exactly the table's masters.
struct PoolBook {
  ipam::PoolTable table = {};
  std::map<net::Prefix, PoolState> states = {};

  /// The lease directory's name, also of a pool that is not in the book.
  std::string LeaseNetwork(std::string_view space, const net::Prefix& subnet) const;
  /// How often the pool and its sub-pools were requested and not released.
  uint32_t UsesOf(const net::Prefix& subnet) const;
  /// What the request of this name was given.
  std::optional<std::string> FindRequest(const std::string& name) const;
  /// A use of the pool was released that had no name: no more names are kept than there are uses.
  void ForgetSurplus(const ipam::PoolId& id);
  /// The pool of this network and family.
  std::optional<net::Prefix> PoolOf(std::string_view network, net::Family family) const;
  bool operator==(const PoolBook&) const = default;
};

/// A JSON document, and back. @throws Error kDecode
std::string EncodePoolBook(const PoolBook& book);
PoolBook DecodePoolBook(std::string_view json);

/// The books of a store, for one thread at a time. A book that has not changed since it was read
/// here is not decoded again.
class PoolBooks {
 public:
  /// `store` outlives it.
  explicit PoolBooks(Store& store) : store_(store) {}

  /// The book of a space, empty if there is none; valid until the next call.
  /// @throws Error kDecode, kIo: a book that cannot be read is never begun anew, for its pools are
  /// in use
  const PoolBook& Read(const std::string& space);

  /// Changes the book and writes it, unless nothing changed; repeated when another process was
  /// faster. @throws Error of `change`, kIo, kDecode
  void Change(const std::string& space, const std::function<void(PoolBook&)>& change);

 private:
  struct Cached {
    uint64_t version = kAbsent;
    PoolBook book = {};
  };
  const Cached& Refresh(const std::string& space);

  Store& store_;
  std::map<std::string, Cached> cached_;
};

}  // namespace cnm::pools
