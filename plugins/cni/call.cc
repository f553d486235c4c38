// call.cc: one call of a plugin, from the environment and standard input.
#include "plugins/cni/call.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "plugins/cni/names.h"
#include "plugins/cni/version.h"

namespace cnm::cni {
namespace {

constexpr unsigned Bit(Verb verb) {
  return 1U << static_cast<unsigned>(verb);
}
constexpr unsigned kAttachment = Bit(Verb::kAdd) | Bit(Verb::kDel) | Bit(Verb::kCheck);

/// A variable, where it goes, which verbs need it, and what its value must be. The order is that of
/// the messages.
struct Variable {
  std::string_view name;
  std::string Call::*member;
  unsigned required;
  void (*validate)(std::string_view value);
};
constexpr std::array<Variable, 5> kVariables = {{
    {"CNI_CONTAINERID", &Call::container_id, kAttachment, ValidateContainerId},
    {"CNI_NETNS", &Call::netns, Bit(Verb::kAdd) | Bit(Verb::kCheck), nullptr},
    {"CNI_IFNAME", &Call::ifname, kAttachment, ValidateIfname},
    {"CNI_ARGS", &Call::args, 0, nullptr},
    {"CNI_PATH", &Call::path, kAttachment | Bit(Verb::kGc) | Bit(Verb::kStatus), nullptr},
}};

bool IsTrue(std::string_view value) {
  constexpr std::string_view kTrue = "TRUE";
  return value == "1" || std::equal(value.begin(), value.end(), kTrue.begin(), kTrue.end(),
                                    [](char a, char b) { return a == b || a == (b | 0x20); });
}

void DecodeBody(Call& call) {
  call.conf = json::Parse(call.config, "error unmarshall network config");
  std::string version;
  try {
    call.conf->Optional("name", call.network);  // first: a DEL can use it whatever the rest holds
    call.conf->Optional("cniVersion", version);
    if (!version.empty()) call.version = version;
  } catch (Error& e) {
    e.AddContext("error unmarshall network config");
    throw;
  }
}

void DecodeName(Call& call) {
  if (call.network.empty()) throw Error(Code::kConfig, "missing network name");
  if (IsContainerId(call.network)) return;
  throw Error(Code::kConfig, "invalid characters found in network name",
              std::exchange(call.network, ""));
}

/// Keys that every plugin is given and few read: judged all the same, so that a mistake is named
/// where it was made.
void DecodeCommonKeys(const json::Object& conf) {
  std::string type;
  conf.Optional("type", type);
  if (const auto capabilities = conf.OptionalObject("capabilities")) {
    for (const std::string& name : capabilities->Keys()) {
      bool wanted = false;
      capabilities->Optional(name, wanted);
    }
  }
}

void DecodePrevious(Call& call) {
  const bool used = (Bit(call.verb) & kAttachment) != 0;
  if (used && call.conf) call.prev_result = DecodePrevResult(*call.conf, call.version);
}

void WarnAndGoOn(void (*step)(Call&), Call& call) {
  try {
    step(call);
  } catch (const Error& e) {
    Warn(fmt::format("DEL goes on: {}{}{}", e.message(), e.details().empty() ? "" : "; ",
                     e.details()));
  }
}

}  // namespace

void DecodeEnvironment(const Environment& environment, Call& call) {
  std::string missing;
  for (const Variable& variable : kVariables) {
    const std::string_view value = environment.Get(variable.name);
    call.*variable.member = value;
    if ((variable.required & Bit(call.verb)) == 0) continue;
    if (value.empty()) {
      fmt::format_to(std::back_inserter(missing), "{}{}", missing.empty() ? "" : ",",
                     variable.name);
    } else if (variable.validate != nullptr) {
      variable.validate(value);
    }
  }
  if (!missing.empty()) {
    throw Error(Code::kEnvironment, fmt::format("required env variables [{}] missing", missing));
  }
  call.netns_override = IsTrue(environment.Get("CNI_NETNS_OVERRIDE"));
}

namespace {

/// The natural mistake of a person who calls a plugin by hand.
void RefuseList(const json::Object& conf) {
  if (conf.Has("type") || !conf.Has("plugins")) return;
  throw Error(Code::kConfig, "this is a network configuration list, not a plugin's configuration",
              "give one element of $.plugins, with the list's name and cniVersion added");
}

}  // namespace

void DecodeConfig(Call& call) {
  call.version = kOldestVersion;
  if (call.verb == Verb::kDel) {
    WarnAndGoOn(DecodeBody, call);
    if (call.conf) WarnAndGoOn(DecodeName, call);
    WarnAndGoOn(DecodePrevious, call);
    return;
  }
  DecodeBody(call);
  RefuseList(*call.conf);
  DecodeName(call);
  DecodeCommonKeys(*call.conf);
  DecodePrevious(call);
}

void WarnUnknownKeys(const Call& call) {
  if (!call.conf) return;
  for (const std::string_view key :
       {"cniVersion", "name", "type", "capabilities", "ipam", "dns", "prevResult", "args",
        "runtimeConfig", "cni.dev/valid-attachments", "cni.dev/attachments"}) {
    call.conf->Ignore(key);
  }
  for (const std::string& warning : call.conf->Warnings()) Warn(warning);
}

std::string RuntimeExecutable() {
  std::array<char, 4096> target{};
  const std::string link = fmt::format("/proc/{}/exe", ::getppid());
  const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
  if (length <= 0) return "";
  std::string_view path(target.data(), static_cast<size_t>(length));
  // A runtime whose file was replaced by an upgrade is still the same runtime.
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
  return std::string(path);
}

}  // namespace cnm::cni
