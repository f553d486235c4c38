// adaptor.cc: from HTTP to the methods of Docker's plugin protocol, and errors on the way back.
#include "cnm/daemon/docker/adaptor.h"

#include <exception>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "cnm/daemon/docker/methods.h"
#include "common/base/error.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm::docker {
namespace {

constexpr char kContentType[] = "application/vnd.docker.plugins.v1.2+json";

http::Response Answer(unsigned status, std::string body) {
  body += '\n';
  return {.status = status, .headers = {{"Content-Type", kContentType}}, .body = std::move(body)};
}

/// Network methods call it Err, IPAM methods Error; Docker reads Err when the status is not 200.
http::Response Failure(unsigned status, std::string_view method, std::string_view text) {
  json::Writer writer;
  writer.BeginObject().Member("Err", text);
  if (method.starts_with("IpamDriver.")) writer.Member("Error", text);
  return Answer(status, writer.EndObject().Take());
}

unsigned StatusOf(Code code) {
  switch (code) {
    case Code::kUnsupportedField:
    case Code::kDecode:
    case Code::kConfig:
    case Code::kNotFound:
    case Code::kUnknownContainer:
      return 400;
    case Code::kInUse:
    case Code::kOverlap:
    case Code::kExists:
      return 409;
    case Code::kTryAgain:
    case Code::kUnavailable:
    case Code::kLimited:
    case Code::kExhausted:
      return 503;
    default:
      return 500;
  }
}

std::string TextOf(const Error& error) {
  return error.details().empty() ? error.message()
                                 : fmt::format("{}; {}", error.message(), error.details());
}

std::string Activate(const Backend& backend) {
  if (backend.activated) backend.activated();
  json::Writer writer;
  writer.BeginObject().Key("Implements").BeginArray();
  return writer.String("NetworkDriver").String("IpamDriver").EndArray().EndObject().Take();
}

std::string Call(const Backend& backend, Method method, const http::Request& request,
                 std::string_view name) {
  // The calls without arguments come without a body.
  const std::string_view body = request.body.empty() ? "{}" : std::string_view(request.body);
  return method(backend, json::Parse(body, name));
}

}  // namespace

http::Response Adaptor::Handle(const http::Request& request) const {
  std::string_view name = request.target;
  if (name.starts_with('/')) name.remove_prefix(1);
  try {
    const bool activation = name == "Plugin.Activate";
    Method method = FindNetworkMethod(name);
    if (method == nullptr) method = FindIpamMethod(name);
    if (method == nullptr && !activation) {
      return Failure(404, name, fmt::format("{}: no such method", name));
    }
    if (request.method != "POST") {
      return Failure(405, name, fmt::format("{}: want POST, got {}", name, request.method));
    }
    return Answer(200, activation ? Activate(backend_) : Call(backend_, method, request, name));
  } catch (const Error& e) {
    return Failure(StatusOf(e.code()), name, TextOf(e));
  } catch (const std::exception& e) {
    return Failure(500, name, e.what());
  }
}

}  // namespace cnm::docker
