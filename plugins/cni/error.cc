// error.cc: errors as the CNI protocol writes them.
#include "plugins/cni/error.h"

#include <array>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm::cni {
namespace {

constexpr int kInternalNumber = 999;

/// The one table between our codes and the protocol's numbers. From 100 on the specification leaves
/// them to the plugin.
constexpr std::array<std::pair<Code, int>, 18> kNumbers = {{
    {Code::kIncompatibleVersion, 1},
    {Code::kUnsupportedField, 2},
    {Code::kUnknownContainer, 3},
    {Code::kEnvironment, 4},
    {Code::kIo, 5},
    {Code::kDecode, 6},
    {Code::kConfig, 7},
    {Code::kNetns, 8},
    {Code::kTryAgain, 11},
    {Code::kUnavailable, 50},
    {Code::kLimited, 51},
    {Code::kExhausted, 100},
    {Code::kInUse, 101},
    {Code::kOverlap, 102},
    {Code::kExists, 103},
    {Code::kNotFound, 104},
    {Code::kKernel, 105},
    {Code::kInternal, kInternalNumber},
}};

/// The code whose meaning the protocol fixes for `number`. Another plugin's numbers from 100 on
/// mean something else than ours.
Code CodeOf(int number) {
  for (const auto& [code, own] : kNumbers) {
    if (own == number && number < 100) return code;
  }
  return Code::kInternal;
}

}  // namespace

int CniNumber(Code code) {
  for (const auto& [known, number] : kNumbers) {
    if (known == code) return number;
  }
  return kInternalNumber;
}

ForeignError::ForeignError(int number, std::string message, std::string details)
    : Error(CodeOf(number), std::move(message), std::move(details)), number_(number) {}

int NumberOf(const Error& error) {
  const auto* foreign = dynamic_cast<const ForeignError*>(&error);
  return foreign != nullptr ? foreign->number() : CniNumber(error.code());
}

std::string PrintError(const Error& error, std::string_view version) {
  json::Writer writer(json::Style::kIndented);
  writer.BeginObject();
  writer.Member("cniVersion", version).Member("code", NumberOf(error));
  writer.Member("msg", error.message()).MemberUnlessEmpty("details", error.details());
  writer.EndObject();
  return writer.Take();
}

ForeignError DecodeError(std::string_view output, int exit_status) {
  if (output.empty()) {
    return {kInternalNumber,
            fmt::format("netplugin failed with no error message: exit status {}", exit_status), ""};
  }
  try {
    const json::Object object = json::Parse(output, "error");
    int64_t number = 0;
    std::string message;
    std::string details;
    object.Optional("code", number, {0, INT32_MAX});
    object.Optional("msg", message);
    object.Optional("details", details);
    return {number == 0 ? kInternalNumber : static_cast<int>(number), std::move(message),
            std::move(details)};
  } catch (const Error& e) {
    constexpr size_t kShown = 512;
    return {kInternalNumber,
            fmt::format("netplugin failed but error parsing its diagnostic message {:?}: {}",
                        output.substr(0, kShown), e.message()),
            ""};
  }
}

}  // namespace cnm::cni
