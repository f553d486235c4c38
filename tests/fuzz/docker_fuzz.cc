// docker_fuzz.cc: Docker's plugin protocol on arbitrary bytes: the first line names the method, the
// rest is the body. Every answer is a JSON object, and no failure looks like a missing method.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "cnm/daemon/docker/adaptor.h"
#include "cnm/daemon/docker/methods.h"
#include "common/json/object.h"
#include "tests/cnm/daemon/docker/fake_drivers.h"

namespace {

void Require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using cnm::docker::FakeIpam;
  using cnm::docker::FakeNetwork;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t line = input.find('\n');
  if (line == std::string_view::npos) return 0;
  const std::string_view method = input.substr(0, line);
  cnm::docker::Diary diary;
  const cnm::docker::Adaptor adaptor(
      {std::make_shared<FakeNetwork>(diary), std::make_shared<FakeIpam>(diary)});
  const auto answer = adaptor.Handle({.method = "POST",
                                      .target = fmt::format("/{}", method),
                                      .body = std::string(input.substr(line + 1))});
  const bool known = method == "Plugin.Activate" ||
                     cnm::docker::FindNetworkMethod(method) != nullptr ||
                     cnm::docker::FindIpamMethod(method) != nullptr;
  Require((answer.status == 404) == !known);
  Require(answer.status == 200 || answer.body.find("\"Err\":") != std::string::npos);
  cnm::json::Parse(answer.body, "answer");
  return 0;
}
