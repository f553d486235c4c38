// network.cc: creating and deleting networks.
#include <algorithm>
#include <cctype>
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "cnm/engine/addresses.h"
#include "cnm/engine/core.h"
#include "cnm/engine/identifier.h"
#include "cnm/engine/labels.h"
#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/rollback.h"
#include "common/json/object.h"

namespace cnm::engine {
namespace {

/// A driver's records are files of the network's name, of which each byte may be written as three.
constexpr size_t kLongestName = 64;

/// "" and blanks are no name; a '.' would be taken for "name.network".
void CheckName(const std::string& name) {
  const bool blank =
      std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isspace(c) != 0; });
  const bool odd = std::any_of(name.begin(), name.end(),
                               [](unsigned char c) { return c == '.' || c < ' ' || c == 0x7f; });
  if (name.size() > kLongestName) {
    throw Error(Code::kConfig,
                fmt::format("invalid name: {} is longer than {} bytes", name, kLongestName));
  }
  if (blank || odd) {
    throw Error(Code::kConfig, fmt::format("invalid name: {}", name),
                "a network's name is not blank and has no '.' and no control character");
  }
}

/// An id is part of file names and of kernel objects' names. Docker's are hexadecimal.
void CheckId(const std::string& id) {
  const bool plain = std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_';
  });
  if (plain && id.size() <= 128) return;
  throw Error(Code::kConfig, fmt::format("invalid id: {}", id),
              "want at most 128 letters, digits, '-' and '_'");
}

/// The host's own stack and no stack at all have no addresses to give.
bool HasPools(const std::string& type) {
  return type != "host" && type != "null";
}

NetworkRecord MakeRecord(const NetworkSpec& spec, const EngineOptions& options) {
  CheckName(spec.name);
  CheckId(spec.id);
  NetworkRecord record;
  record.name = spec.name;
  record.type = spec.type.empty() ? options.default_driver : spec.type;
  record.ipam_options = spec.ipam_options;
  record.config.id = spec.id.empty() ? NewId() : spec.id;
  record.config.name = spec.name;
  if (!spec.options.empty()) {
    DecodeNetworkOptions(json::Parse(spec.options, "network options"), record.config);
  }
  record.config.enable_ipv6 = record.config.enable_ipv6 || spec.enable_ipv6;
  record.config.internal = record.config.internal || spec.internal;
  record.created_ns = NowNs();
  return record;
}

}  // namespace

std::string Engine::Core::CreateNetwork(const NetworkSpec& spec) {
  NetworkRecord network = MakeRecord(spec, options_);
  auto existing = registry_.FindNetworkByName(network.name);
  if (existing && existing->pending) {
    UndoLeft();
    existing = registry_.FindNetworkByName(network.name);
  }
  if (existing) {  // said before anybody is asked; Add decides
    throw Error(
        Code::kExists, fmt::format("network with name {} already exists", network.name),
        fmt::format("its id is {}; {}, or take another name", ShortId(existing->config.id),
                    existing->pending ? "wait until it is made or undone" : "delete it first"));
  }
  const auto driver = DriverOf(network);
  std::shared_ptr<IpamDriver> ipam;
  if (HasPools(network.type)) {
    ipam = providers_.GetIpam(spec.ipam);
    network.ipam = ipam->name();
  }
  registry_.Add(network);
  Rollback undo;
  undo.Push("create network", [&] { UndoNetwork(network); });
  if (ipam) RequestPools(*ipam, spec, network, [&] { registry_.Put(network); });
  driver->CreateNetwork(network.config);
  network.pending = false;
  registry_.Put(network);
  undo.Commit();
  return network.config.id;
}

void Engine::Core::DeleteNetwork(const std::string& id, bool force) {
  RequirePlugins(*GetNetwork(id), force);
  NetworkRecord network = registry_.BeginDelete(id);
  try {
    DriverOf(network)->DeleteNetwork(id);
  } catch (const Error& error) {
    // The driver's refusal keeps the network; a failure does not, because nobody could ever delete
    // it then.
    if (error.code() == Code::kInUse || error.code() == Code::kExists) {
      network.pending = false;
      registry_.Put(network);
      throw;
    }
    if (error.code() != Code::kNotFound) {
      Warn(fmt::format("delete network {}: {}", network.name, error.message()));
    }
  }
  ReleaseTo(network, [&](IpamDriver& ipam) { ReleasePools(ipam, network); });
  registry_.Remove(network);
}

/// Takes back all that a network's record says, and the record.
void Engine::Core::UndoNetwork(const NetworkRecord& network) noexcept {
  try {
    try {
      DriverOf(network)->DeleteNetwork(network.config.id);
    } catch (const Error& error) {
      if (error.code() != Code::kNotFound) {
        Warn(fmt::format("undo network {}: {}", network.name, error.message()));
      }
    }
    if (!network.ipam.empty()) {
      const auto ipam = IpamOf(network);
      ReleasePools(*ipam, network);
      ReleaseForgotten(*ipam, network);
    }
    registry_.Remove(network);
  } catch (const std::exception& error) {
    Warn(fmt::format("undo network {}: {}", network.name, error.what()));
    const std::lock_guard guard(late_mutex_);
    left_.insert(network.config.id);
  }
}

/// What UndoNetwork could not: its plugin may answer now.
void Engine::Core::UndoLeft() {
  std::set<std::string> left;
  {
    const std::lock_guard guard(late_mutex_);
    left.swap(left_);
  }
  for (const std::string& id : left) {
    if (const auto network = registry_.FindNetwork(id)) UndoNetwork(*network);
  }
}

}  // namespace cnm::engine
