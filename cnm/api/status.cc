// status.cc: how failures leave through the REST API.
#include "cnm/api/status.h"

#include <string_view>
#include <utility>

namespace cnm::api {
namespace {

std::string Replaced(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace

unsigned StatusOf(Code code) {
  switch (code) {
    case Code::kIncompatibleVersion:
    case Code::kEnvironment:
    case Code::kDecode:
    case Code::kConfig:
      return 400;
    case Code::kInUse:
    case Code::kOverlap:
    case Code::kExists:
      return 403;
    case Code::kUnknownContainer:
    case Code::kNotFound:
      return 404;
    case Code::kTryAgain:
      return 408;
    case Code::kUnsupportedField:
      return 501;
    case Code::kUnavailable:
    case Code::kLimited:
    case Code::kExhausted:
      return 503;
    case Code::kIo:
    case Code::kNetns:
    case Code::kKernel:
    case Code::kInternal:
      return 500;
  }
  return 500;
}

Code CodeOf(unsigned status) {
  switch (status) {
    case 400:
      return Code::kConfig;
    case 403:
      return Code::kInUse;
    case 404:
      return Code::kNotFound;
    case 408:
      return Code::kTryAgain;
    case 501:
      return Code::kUnsupportedField;
    case 503:
      return Code::kUnavailable;
    default:
      return Code::kInternal;
  }
}

http::Response FailureResponse(const Error& error) {
  http::Response response = http::TextResponse(StatusOf(error.code()), error.message());
  std::string details = error.details();
  // A field's value has no control characters (RFC 9110 §5.5).
  for (char& c : details) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  if (!details.empty()) response.headers.push_back({kDetailsField, std::move(details)});
  return response;
}

Error InTermsOfServices(const Error& error) {
  const auto told = [](const std::string& text) {
    return Replaced(Replaced(text, "service endpoint", "service"), "endpoint", "service");
  };
  return {error.code(), told(error.message()), told(error.details())};
}

}  // namespace cnm::api
