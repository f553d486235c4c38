// journal.cc: the records of networks and endpoints in the runtime store.
#include "cnm/journal.h"

#include <fmt/format.h>

#include "cnm/records.h"
#include "common/base/error.h"
#include "common/base/log.h"

namespace cnm {
namespace {

std::string EndpointPath(std::string_view owner) {
  return fmt::format("endpoints/{}", owner);
}
std::string NetworkPath(std::string_view name) {
  return fmt::format("networks/{}", name);
}

/// A record that does not decode is put aside, so that the caller goes on as if it were absent.
template <class Record>
std::optional<Record> Decoded(Store& store, const std::optional<StoredDocument>& document,
                              Record (*decode)(std::string_view)) {
  if (!document) return std::nullopt;
  try {
    return decode(document->json);
  } catch (const Error& e) {
    if (e.code() == Code::kTryAgain) throw;  // a newer schema: somebody can read it
    Warn(fmt::format("{}: {}", document->key, e.message()));
    store.Quarantine(document->key);
    return std::nullopt;
  }
}

/// A listing holds no lock: a document that does not decode is named and left to whoever looks for
/// that very one.
template <class Record>
std::vector<Record> AllDecoded(Store& store, std::string_view prefix,
                               Record (*decode)(std::string_view)) {
  std::vector<Record> records;
  for (const StoredDocument& document : store.List(prefix)) {
    try {
      records.push_back(decode(document.json));
    } catch (const Error& e) {
      Warn(fmt::format("{}: {}", document.key, e.message()));
    }
  }
  return records;
}

}  // namespace

std::optional<Endpoint> Journal::FindEndpoint(std::string_view owner) {
  return Decoded(store_, store_.Get(EndpointPath(owner)), DecodeEndpoint);
}

void Journal::Write(const Endpoint& endpoint) {
  store_.Put(EndpointPath(endpoint.owner), Encode(endpoint), kAnyVersion);
}

bool Journal::RemoveEndpoint(std::string_view owner) {
  return store_.Delete(EndpointPath(owner), kAnyVersion);
}

std::vector<Endpoint> Journal::Endpoints() {
  return AllDecoded(store_, "endpoints", DecodeEndpoint);
}

std::optional<Network> Journal::FindNetwork(std::string_view name) {
  return Decoded(store_, store_.Get(NetworkPath(name)), DecodeNetwork);
}

bool Journal::Write(const Network& network, const std::optional<Network>& expected) {
  const std::string key = NetworkPath(network.name);
  uint64_t version = kAbsent;
  if (expected) {
    const std::optional<StoredDocument> now = store_.Get(key);
    if (!now || DecodeNetwork(now->json) != *expected) return false;
    version = now->version;
  }
  return store_.Put(key, Encode(network), version).has_value();
}

bool Journal::RemoveNetwork(std::string_view name) {
  return store_.Delete(NetworkPath(name), kAnyVersion);
}

std::vector<Network> Journal::Networks() {
  return AllDecoded(store_, "networks", DecodeNetwork);
}

}  // namespace cnm
