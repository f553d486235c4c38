// identifier.cc: the ids of controllers, networks, endpoints and sandboxes.
#include "cnm/engine/identifier.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <iterator>

#include <fmt/format.h>

#include "cnm/host.h"
#include "common/base/error.h"
#include "common/netns/netns.h"

namespace cnm::engine {
namespace {

std::string RandomHex() {
  std::array<uint8_t, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw SystemError(Code::kInternal, "make an id", errno);
  }
  std::string id;
  id.reserve(2 * bytes.size());
  for (const uint8_t byte : bytes) fmt::format_to(std::back_inserter(id), "{:02x}", byte);
  return id;
}

bool IsDecimal(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string NewId() {
  std::string id = RandomHex();
  while (IsDecimal(ShortId(id))) id = RandomHex();
  return id;
}

std::string_view ShortId(std::string_view id) {
  return id.substr(0, 12);
}

std::string BootId() {
  return CurrentHost(netns::NetNs::Current()).boot_id;
}

}  // namespace cnm::engine
