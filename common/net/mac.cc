// mac.cc: an Ethernet (EUI-48) address.
#include "common/net/mac.h"

#include <charconv>

#include <fmt/format.h>

namespace cnm::net {

std::optional<Mac> Mac::Parse(std::string_view text) {
  // Either six groups of two digits, or Cisco's three groups of four.
  const bool dotted = text.find('.') != text.npos;
  const size_t group = dotted ? 4 : 2;
  const size_t groups = 12 / group;
  if (text.size() != 12 + groups - 1) return {};
  const char separator = text[group];
  if (separator != ':' && separator != '-' && separator != '.') return {};
  Mac mac;
  for (size_t digit = 0; digit < 12; digit += 2) {
    const size_t at = digit + digit / group;
    if (digit % group == 0 && digit > 0 && text[at - 1] != separator) return {};
    const char* first = text.data() + at;
    const auto [end, error] = std::from_chars(first, first + 2, mac.bytes[digit / 2], 16);
    if (error != std::errc() || end != first + 2) return {};
  }
  return mac;
}

std::string Mac::ToString() const {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", bytes[0], bytes[1], bytes[2],
                     bytes[3], bytes[4], bytes[5]);
}

}  // namespace cnm::net
