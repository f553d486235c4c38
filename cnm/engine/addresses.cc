// addresses.cc: the pools of a network and the addresses of its endpoints, from an IPAM driver.
#include "cnm/engine/addresses.h"

#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cnm/engine/pool_request.h"
#include "cnm/id.h"
#include "common/base/error.h"
#include "common/base/log.h"

namespace cnm::engine {
namespace {

using Options = std::map<std::string, std::string>;

const Options& GatewayRequest() {
  static const Options request = {{kRequestTypeLabel, kGatewayLabel}};
  return request;
}

template <class T>
std::optional<T> ParseOptional(const std::string& text, std::string_view what) {
  if (text.empty()) return std::nullopt;
  auto value = T::Parse(text);
  if (value) return value;
  throw Error(Code::kConfig, fmt::format("invalid {}: {}", what, text),
              std::is_same_v<T, net::Prefix>
                  ? "want an address and a length: 192.0.2.0/24, 2001:db8::/64"
                  : "want an address: 192.0.2.1, 2001:db8::1");
}

/// "192.0.2.1" or "192.0.2.1/24".
std::optional<net::Address> ParseHost(const std::string& text, std::string_view what) {
  if (const auto prefix = net::Prefix::Parse(text)) return prefix->address;
  return ParseOptional<net::Address>(text, what);
}

void TakeGateway(IpamDriver& ipam, const PoolConfig& config, const Pool& pool, PoolHold& hold) {
  const auto chosen = pool.data.find(kGatewayLabel);
  if (chosen != pool.data.end()) {
    hold.data.gateway = ParseOptional<net::Prefix>(chosen->second, "gateway");
  }
  const auto wanted = ParseHost(config.gateway, "gateway address");
  if (!wanted && hold.data.gateway) return;
  hold.data.gateway = ipam.RequestAddress(hold.id, wanted, GatewayRequest());
  hold.gateway_requested = hold.data.gateway.has_value();
}

void TakeAuxiliary(IpamDriver& ipam, const PoolConfig& config, PoolHold& hold) {
  for (const auto& [name, text] : config.aux_addresses) {
    const auto address = ParseHost(text, "auxiliary address");
    if (!address || !hold.data.pool.Contains(*address)) {
      throw Error(Code::kInUse,
                  fmt::format("auxiliary address: ({}:{}) must belong to the master pool: {}", name,
                              text, hold.data.pool.ToString()));
    }
    // One outside the sub-pool is not the driver's to give, nor to anybody else.
    if (!hold.sub_pool || hold.sub_pool->Contains(*address))
      ipam.RequestAddress(hold.id, address, {});
    hold.data.aux[name] = {*address, hold.data.pool.length};
  }
}

/// Whether the driver finds requests again by their names.
bool IsOurs(const IpamDriver& ipam) {
  return ipam.name() == "default";
}

/// "<network id>/4/0": of the network's first IPv4 pool.
std::string RequestName(const NetworkRecord& network, bool ipv6, size_t index) {
  return fmt::format("{}/{}/{}", network.config.id, ipv6 ? 6 : 4, index);
}

/// The leases of a bridge network are those that CNI's containers take from the network of this
/// name: it is one network.
Options PoolOptions(const IpamDriver& ipam, const NetworkRecord& network, const PoolConfig& config,
                    const std::string& request) {
  Options options = network.ipam_options;
  if (!IsOurs(ipam)) return options;
  options[kRequestOption] = request;
  const bool first = request.ends_with("/0");  // a further one without a subnet is a pool more
  if (network.type == "bridge" && (first || !config.preferred_pool.empty())) {
    options.try_emplace(kNetworkOption, network.name);
  }
  return options;
}

void RequestFamily(IpamDriver& ipam, const NetworkSpec& spec, bool ipv6, NetworkRecord& network,
                   const std::function<void()>& journal) {
  std::vector<PoolConfig> configs = ipv6 ? spec.ipv6 : spec.ipv4;
  if (configs.empty() && !ipv6) configs.emplace_back();
  std::vector<PoolHold>& holds = ipv6 ? network.ipv6 : network.ipv4;
  std::vector<PoolData>& data = ipv6 ? network.config.ipv6 : network.config.ipv4;
  const std::string space = ipam.LocalSpace();
  holds.reserve(configs.size());
  data.reserve(configs.size());
  for (const PoolConfig& config : configs) {
    const auto sub_pool = ParseOptional<net::Prefix>(config.sub_pool, "sub-pool");
    const Pool pool = ipam.RequestPool(
        {.address_space = space,
         .pool = ParseOptional<net::Prefix>(config.preferred_pool, "pool"),
         .sub_pool = sub_pool,
         .options = PoolOptions(ipam, network, config, RequestName(network, ipv6, holds.size())),
         .ipv6 = ipv6});
    PoolHold& hold = holds.emplace_back(PoolHold{pool.id, {space, pool.pool.Subnet()}, sub_pool});
    journal();
    TakeGateway(ipam, config, pool, hold);
    TakeAuxiliary(ipam, config, hold);
    data.push_back(hold.data);
    journal();
  }
}

/// Runs `release`; a failure is told and forgotten.
template <class Release>
void Try(std::string_view what, const Release& release) noexcept {
  try {
    release();
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound) Warn(fmt::format("{}: {}", what, error.message()));
  } catch (const std::exception& error) {
    Warn(error.what());
  }
}

/// What the network itself holds in its pool.
void ReleaseAddressesOf(IpamDriver& ipam, const PoolHold& hold) noexcept {
  if (hold.gateway_requested && hold.data.gateway) {
    Try("release the gateway", [&] { ipam.ReleaseAddress(hold.id, hold.data.gateway->address); });
  }
  for (const auto& [name, address] : hold.data.aux) {
    Try("release an auxiliary address",
        [&ipam, &hold, &held = address] { ipam.ReleaseAddress(hold.id, held.address); });
  }
}

/// The request's options for an endpoint of this network.
Options EndpointOptions(const IpamDriver& ipam, const NetworkRecord& network,
                        EndpointRecord& endpoint) {
  Options options;
  const auto serial = network.ipam_options.find(kSerialLabel);
  if (serial != network.ipam_options.end()) options.insert(*serial);
  if (ipam.requires_mac()) {
    if (!endpoint.interface.mac) endpoint.interface.mac = DerivedMac(endpoint.id);
    options[kMacLabel] = endpoint.interface.mac->ToString();
  }
  return options;
}

/// From the first pool that has `wanted`, or any address. @returns the pool's id, "" without pools
std::string RequestFrom(IpamDriver& ipam, const std::vector<PoolHold>& holds,
                        const Options& options, std::optional<net::Prefix>& wanted) {
  std::optional<net::Address> address;
  if (wanted) address = wanted->address;
  std::optional<Error> exhausted;
  for (const PoolHold& hold : holds) {
    if (address && !hold.data.pool.Contains(*address)) continue;
    try {
      const auto given = ipam.RequestAddress(hold.id, address, options);
      if (!given) return "";  // a driver without addresses
      wanted = given;
      return hold.id;
    } catch (const Error& error) {
      if (address || error.code() != Code::kExhausted) throw;
      exhausted = error;
    }
  }
  if (exhausted) throw Error(*exhausted);
  if (address && !holds.empty()) {
    throw Error(Code::kConfig,
                fmt::format("invalid address {}: it does not belong to any of this network's "
                            "subnets",
                            address->ToString()));
  }
  return "";
}

}  // namespace

void RequestPools(IpamDriver& ipam, const NetworkSpec& spec, NetworkRecord& network,
                  const std::function<void()>& journal) {
  RequestFamily(ipam, spec, false, network, journal);
  if (network.config.enable_ipv6) RequestFamily(ipam, spec, true, network, journal);
}

void ReleaseForgotten(IpamDriver& ipam, const NetworkRecord& network) noexcept {
  if (!IsOurs(ipam)) return;
  for (const bool ipv6 : {false, true}) {
    const std::string request =
        RequestName(network, ipv6, (ipv6 ? network.ipv6 : network.ipv4).size());
    Try("find a forgotten pool", [&] {
      const Pool pool =
          ipam.RequestPool({.address_space = ipam.LocalSpace(),
                            .options = {{kRequestOption, request}, {kFindOption, "true"}}});
      ipam.ReleaseRequest(pool.id, request);
    });
  }
}

void ReleasePools(IpamDriver& ipam, const NetworkRecord& network) noexcept {
  for (const bool ipv6 : {false, true}) {
    const std::vector<PoolHold>& holds = ipv6 ? network.ipv6 : network.ipv4;
    for (size_t i = 0; i < holds.size(); ++i) {
      const std::string request = RequestName(network, ipv6, i);
      Try("release the pool", [&] {
        // Who released it and was killed then has no share in what others have there since.
        if (!ipam.HoldsRequest(holds[i].id, request)) return;
        ReleaseAddressesOf(ipam, holds[i]);
        ipam.ReleaseRequest(holds[i].id, request);
      });
    }
  }
}

void ReplayPools(IpamDriver& ipam, const NetworkRecord& network) {
  for (const auto* holds : {&network.ipv4, &network.ipv6}) {
    for (const PoolHold& hold : *holds) {
      ipam.RequestPool({.address_space = hold.data.address_space,
                        .pool = hold.data.pool,
                        .sub_pool = hold.sub_pool,
                        .options = network.ipam_options,
                        .ipv6 = holds == &network.ipv6});
      if (hold.gateway_requested && hold.data.gateway) {
        ipam.RequestAddress(hold.id, hold.data.gateway->address, GatewayRequest());
      }
      for (const auto& [name, address] : hold.data.aux) {
        if (hold.sub_pool && !hold.sub_pool->Contains(address.address)) continue;
        ipam.RequestAddress(hold.id, address.address, {});
      }
    }
  }
}

void RequestAddresses(IpamDriver& ipam, const NetworkRecord& network, EndpointRecord& endpoint,
                      const std::function<void()>& journal) {
  const Options options = EndpointOptions(ipam, network, endpoint);
  endpoint.pool = RequestFrom(ipam, network.ipv4, options, endpoint.interface.address);
  journal();
  if (!network.config.enable_ipv6) return;
  endpoint.pool_ipv6 = RequestFrom(ipam, network.ipv6, options, endpoint.interface.address_ipv6);
  journal();
}

void ReleaseAddresses(IpamDriver& ipam, const EndpointRecord& endpoint) noexcept {
  if (!endpoint.pool.empty() && endpoint.interface.address) {
    Try("release an address",
        [&] { ipam.ReleaseAddress(endpoint.pool, endpoint.interface.address->address); });
  }
  if (!endpoint.pool_ipv6.empty() && endpoint.interface.address_ipv6) {
    Try("release an address",
        [&] { ipam.ReleaseAddress(endpoint.pool_ipv6, endpoint.interface.address_ipv6->address); });
  }
}

void ReplayAddresses(IpamDriver& ipam, const EndpointRecord& endpoint) {
  if (!endpoint.pool.empty() && endpoint.interface.address) {
    ipam.RequestAddress(endpoint.pool, endpoint.interface.address->address, {});
  }
  if (!endpoint.pool_ipv6.empty() && endpoint.interface.address_ipv6) {
    ipam.RequestAddress(endpoint.pool_ipv6, endpoint.interface.address_ipv6->address, {});
  }
}

}  // namespace cnm::engine
