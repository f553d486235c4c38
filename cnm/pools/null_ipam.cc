// null_ipam.cc: the IPAM of networks without addresses.
#include "cnm/pools/null_ipam.h"

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::pools {
namespace {

constexpr char kPoolId[] = "null/0.0.0.0/0";

void CheckPool(const std::string& pool_id) {
  if (pool_id != kPoolId) {
    throw Error(Code::kNotFound, fmt::format("invalid pool id {}", pool_id));
  }
}

}  // namespace

engine::Pool NullIpam::RequestPool(const engine::PoolSpec& spec) {
  if (!spec.address_space.empty() && spec.address_space != LocalSpace()) {
    throw Error(Code::kConfig, fmt::format("unknown address space: {}", spec.address_space));
  }
  if (spec.pool) throw Error(Code::kConfig, "null ipam driver does not handle specific pools");
  if (spec.sub_pool) throw Error(Code::kConfig, "null ipam driver does not handle sub-pools");
  if (spec.ipv6) throw Error(Code::kConfig, "null ipam driver does not handle IPv6 pools");
  return {.id = kPoolId, .pool = {}};
}

void NullIpam::ReleasePool(const std::string& pool_id) {
  CheckPool(pool_id);
}

std::optional<net::Prefix> NullIpam::RequestAddress(
    const std::string& pool_id, const std::optional<net::Address>& /*address*/,
    const std::map<std::string, std::string>& /*options*/) {
  CheckPool(pool_id);
  return std::nullopt;
}

void NullIpam::ReleaseAddress(const std::string& pool_id, const net::Address& /*address*/) {
  CheckPool(pool_id);
}

}  // namespace cnm::pools
