// address_source.cc: addresses from the IPAM plugin a configuration names.
#include "plugins/cni/address_source.h"

#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/json/object.h"
#include "common/json/writer.h"
#include "plugins/cni/delegate.h"
#include "plugins/cni/error.h"

namespace cnm::cni {
namespace {

/// The members of a Call that a journal holds.
struct Field {
  std::string_view key;
  std::string Call::*member;
};
constexpr Field kFields[] = {{"config", &Call::config}, {"args", &Call::args},
                             {"path", &Call::path},     {"netns", &Call::netns},
                             {"ifname", &Call::ifname}, {"containerId", &Call::container_id}};

/// Runs a verb newer than many plugins. @returns false if the plugin does not know it
bool RunIfKnown(const Call& call, std::string_view type) {
  try {
    call.delegates.Run(type, call);
    return true;
  } catch (const ForeignError& e) {
    const bool unknown = e.number() == CniNumber(Code::kEnvironment) &&
                         e.message().find("unknown CNI_COMMAND") != std::string::npos;
    if (!unknown) throw;
    return false;
  }
}

}  // namespace

Delegate::Delegate(const Call& call, std::string type) : type_(std::move(type)), call_(call) {}

Delegate Delegate::FromJournal(std::string_view journal, const Call& call) {
  const json::Object object = json::Parse(journal, "IPAM journal");
  std::string type;
  object.Required("type", type);
  Delegate delegate(call, std::move(type));
  Call& bound = delegate.call_;
  bound.verb = Verb::kDel;
  bound.conf.reset();
  bound.prev_result.reset();
  bound.network.clear();
  for (const Field& field : kFields) object.Required(field.key, bound.*field.member);
  DecodeConfig(bound);
  return delegate;
}

Addressing Delegate::Request() {
  call_.verb = Verb::kAdd;
  std::optional<Result> result = call_.delegates.Run(type_, call_);
  Addressing addressing;
  for (const ResultAddress& ip : result->ips) {
    addressing.addresses.push_back({ip.address, ip.gateway});
  }
  addressing.routes = std::move(result->routes);
  addressing.dns = std::move(result->dns);
  return addressing;
}

void Delegate::Release() {
  call_.verb = Verb::kDel;
  call_.delegates.Run(type_, call_);
}

void Delegate::Check() {
  call_.verb = Verb::kCheck;
  call_.delegates.Run(type_, call_);
}

std::string Delegate::Journal() const {
  json::Writer writer;
  writer.BeginObject().Member("type", type_);
  for (const Field& field : kFields) writer.Member(field.key, call_.*field.member);
  writer.EndObject();
  return writer.Take();
}

void DelegateStatus(const Call& call, std::string_view type) {
  try {
    RunIfKnown(call, type);
  } catch (const Error& e) {
    if (e.code() != Code::kNotFound) throw;
    throw Error(Code::kUnavailable, e.message(), e.details());
  }
}

void DelegateGc(const Call& call, std::string_view type) {
  if (!RunIfKnown(call, type)) {
    Warn(fmt::format("{} does not know GC: its abandoned addresses stay", type));
  }
}

}  // namespace cnm::cni
