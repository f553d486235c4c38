// port_allocator.cc: which ports of the host's addresses are given out.
#include "cnm/ports/port_allocator.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm {
namespace {

using firewall::Protocol;

/// The number at the start of `text`, behind blanks; takes it off.
std::optional<uint16_t> TakePort(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || port == 0) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return port;
}

void RequireKnown(Protocol protocol) {
  switch (protocol) {
    case Protocol::kTcp:
    case Protocol::kUdp:
    case Protocol::kSctp:
      return;
  }
  throw Error(Code::kConfig, fmt::format("unknown protocol: {}", static_cast<unsigned>(protocol)));
}

/// Whether holders of one port on both addresses would be in each other's way.
bool Conflict(const net::Address& one, const net::Address& other) {
  if (one.family() != other.family()) return false;
  return one == other || one.IsUnspecified() || other.IsUnspecified();
}

std::string SocketText(const net::Address& address, uint32_t port) {
  return address.is_v4() ? fmt::format("{}:{}", address.ToString(), port)
                         : fmt::format("[{}]:{}", address.ToString(), port);
}

Error InvalidRange(PortRange range) {
  return {Code::kConfig, fmt::format("invalid port range: {}-{}", range.first, range.last)};
}

uint32_t SizeOf(PortRange range) {
  return uint32_t{range.last} - range.first + 1;
}

/// The first port from `first` to `last` with which `count` free ones begin.
template <class Ports>
std::optional<uint32_t> FirstRun(const Ports& taken, uint32_t first, uint32_t last,
                                 uint32_t count) {
  uint32_t start = first;
  for (uint32_t port = first; start <= last; ++port) {
    if (taken[port]) {
      start = port + 1;
    } else if (port - start + 1 == count) {
      return start;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<PortRange> ParsePortRange(std::string_view text) {
  const std::optional<uint16_t> first = TakePort(text);
  const std::optional<uint16_t> last = TakePort(text);
  if (!first || !last || *last < *first) return std::nullopt;
  if (text.find_first_not_of(" \t\n") != std::string_view::npos) return std::nullopt;
  return PortRange{*first, *last};
}

PortRange PortAllocator::Request(const PortRequest& request) {
  RequireKnown(request.protocol);
  if (request.addresses.empty()) throw Error(Code::kInternal, "request port: no address");
  const PortRange range = request.range == PortRange{} ? ephemeral_ : request.range;
  if (range.first == 0 || range.last < range.first) throw InvalidRange(range);
  if (request.count == 0 || SizeOf(range) < request.count) {
    throw InvalidRange(range).AddDetail(fmt::format("wanted: {} ports", request.count));
  }
  PortRange ports = range;
  if (SizeOf(range) == request.count) {
    RequireFree(request);
  } else {
    ports = Search(request, range);
  }
  Take(request, ports);
  return ports;
}

void PortAllocator::RequireFree(const PortRequest& request) const {
  for (const net::Address& address : request.addresses) {
    for (const auto& [key, taken] : pools_) {
      const auto& [protocol, holder] = key;
      if (protocol != request.protocol || !Conflict(address, holder)) continue;
      for (uint32_t port = request.range.first; port <= request.range.last; ++port) {
        if (!taken[port]) continue;
        throw Error(
            Code::kInUse,
            fmt::format("Bind for {} failed: port is already allocated", SocketText(address, port)),
            fmt::format("held on {}", SocketText(holder, port)));
      }
    }
  }
}

PortRange PortAllocator::Search(const PortRequest& request, PortRange range) {
  Ports taken;
  for (const net::Address& address : request.addresses) {
    taken |= TakenFor(address, request.protocol);
  }
  const uint32_t count = request.count;
  const uint32_t last_start = range.last - count + 1;
  const PlaceKey key{request.protocol, request.addresses.front(), range};
  const auto place = places_.find(key);
  // A longer row than the last one may have to begin before the remembered place.
  const uint32_t from = place == places_.end() ? range.first : std::min(place->second, last_start);
  std::optional<uint32_t> start = FirstRun(taken, from, last_start, count);
  if (!start && from > range.first) start = FirstRun(taken, range.first, from - 1, count);
  if (!start) throw Error(Code::kExhausted, "all ports are allocated");
  const uint32_t next = *start + count;
  places_[key] = next > range.last ? range.first : next;
  return {static_cast<uint16_t>(*start), static_cast<uint16_t>(next - 1)};
}

PortAllocator::Ports PortAllocator::TakenFor(const net::Address& address, Protocol protocol) const {
  Ports taken;
  for (const auto& [key, ports] : pools_) {
    if (std::get<0>(key) == protocol && Conflict(address, std::get<1>(key))) taken |= ports;
  }
  return taken;
}

void PortAllocator::Take(const PortRequest& request, PortRange ports) {
  for (const net::Address& address : request.addresses) {
    Ports& taken = pools_[{request.protocol, address}];
    for (uint32_t port = ports.first; port <= ports.last; ++port) taken.set(port);
  }
}

bool PortAllocator::Release(const net::Address& address, Protocol protocol, PortRange ports) {
  const auto pool = pools_.find({protocol, address});
  if (pool == pools_.end() || ports.last < ports.first) return false;
  Ports& taken = pool->second;
  bool all = true;
  for (uint32_t port = ports.first; port <= ports.last; ++port) {
    all = all && taken[port];
    taken.reset(port);
  }
  if (taken.none()) pools_.erase(pool);
  return all;
}

void PortAllocator::ReleaseAll() {
  pools_.clear();
  places_.clear();
}

}  // namespace cnm
