// api_fuzz.cc: the REST API on arbitrary requests: every one is answered, with a status of the
// documented ones, JSON that parses or one line of text. "METHOD TARGET\nBODY"; $n, $e and $s stand
// for the ids of a network, an endpoint and a sandbox that exist.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "cnm/api/body.h"
#include "cnm/api/handler.h"
#include "cnm/api/query.h"
#include "common/base/error.h"
#include "common/json/object.h"
#include "tests/cnm/api/plain_engine.h"

namespace {

using cnm::api::Api;
using cnm::api::PlainEngine;

/// After so many requests the engine is a new one, so that it stays small.
constexpr unsigned kRounds = 256;

void Require(bool condition) {
  if (!condition) std::abort();
}

/// An engine with one of each.
struct World {
  World() {
    auto& engine = plain.engine();
    network = engine.CreateNetwork({.name = "n", .type = "test"});
    endpoint = engine.CreateEndpoint(network, {.name = "e"});
    sandbox = engine.CreateSandbox({.container_id = "c", .use_external_key = true});
  }
  PlainEngine plain;
  std::string network;
  std::string endpoint;
  std::string sandbox;
};

std::string Filled(std::string_view text, const World& world) {
  std::string filled;
  for (size_t i = 0; i < text.size(); ++i) {
    const std::string_view two = text.substr(i, 2);
    const std::string* id = two == "$n"   ? &world.network
                            : two == "$e" ? &world.endpoint
                            : two == "$s" ? &world.sandbox
                                          : nullptr;
    if (id != nullptr) {
      filled += *id;
      ++i;
    } else {
      filled += text[i];
    }
  }
  return filled;
}

/// Making a sandbox changes files wherever the request says, so only its body is read here.
bool MakesSandbox(const cnm::http::Request& request) {
  try {
    const auto route = cnm::api::FindRoute(request.method, request.target);
    if (!route || route->action != cnm::api::Action::kCreateSandbox) return false;
    cnm::api::DecodeSandboxBody(request.body);
  } catch (const cnm::Error&) {
    return false;  // refused before anything is made
  }
  return true;
}

void CheckAnswer(const cnm::http::Response& response) {
  constexpr std::array kStatuses = {200U, 201U, 301U, 400U, 403U, 404U, 503U};
  Require(std::find(kStatuses.begin(), kStatuses.end(), response.status) != kStatuses.end());
  for (const auto& header : response.headers) {
    Require(header.value.find('\n') == std::string::npos);
  }
  if (response.body.empty()) return;
  Require(response.body.back() == '\n');
  if (cnm::http::FindHeader(response.headers, "Content-Type") == "application/json") {
    cnm::json::Parse(fmt::format("{{\"answer\":{}}}", response.body), "answer");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static std::optional<World> world;
  static unsigned round = 0;
  if (round++ % kRounds == 0) world.emplace();
  const std::string text = Filled({reinterpret_cast<const char*>(data), size}, *world);
  const size_t line = std::min(text.find('\n'), text.size());
  const size_t blank = std::min(text.find(' '), line);
  cnm::http::Request request{.method = text.substr(0, blank)};
  request.target = text.substr(std::min(blank + 1, line), line - std::min(blank + 1, line));
  request.body = text.substr(std::min(line + 1, text.size()));
  if (!MakesSandbox(request)) CheckAnswer(Api(&world->plain.engine()).Handle(request));
  return 0;
}
