// attributes.h: writing attributes into requests and reading them from replies, sizes checked.
// Internal to common/netlink
// and to who shares its channel.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <netlink/attr.h>

#include "common/net/address.h"
#include "common/netlink/request.h"

namespace cnm::netlink {

/// Appends a fixed family header (ifinfomsg, ifaddrmsg, rtmsg). @throws Error kInternal when the
/// message is full
void AppendBytes(const Request& request, const void* header, size_t size);

template <class Header>
void AppendHeader(const Request& request, const Header& header) {
  static_assert(std::is_trivially_copyable_v<Header>);
  AppendBytes(request, &header, sizeof header);
}

/// Appends an attribute. @throws Error kInternal when the message is full
void Put(const Request& request, int type, std::span<const uint8_t> bytes);
/// The same with the terminating zero that the kernel wants.
void PutText(const Request& request, int type, std::string_view text);

/// The same for a number in host byte order.
template <class Number>
void PutNumber(const Request& request, int type, Number number) {
  static_assert(std::is_integral_v<Number>);
  std::array<uint8_t, sizeof number> bytes;
  std::memcpy(bytes.data(), &number, sizeof number);
  Put(request, type, bytes);
}

/// While it lives, what is put goes inside this attribute.
class Nest {
 public:
  Nest(const Request& request, int type);
  ~Nest();
  Nest(const Nest&) = delete;
  Nest& operator=(const Nest&) = delete;

 private:
  nl_msg* message_;  // stays the same when the request moves, as it may on return
  nlattr* start_;
};

/// The attributes of a message or of a nest, indexed by type 0..kMax; absent ones are null, unknown
/// ones skipped.
template <int kMax>
class Attributes {
 public:
  Attributes(const void* first, int bytes) {
    nla_parse(table_.data(), kMax, static_cast<nlattr*>(const_cast<void*>(first)), bytes, nullptr);
  }
  explicit Attributes(const nlattr* nest) {
    if (nest != nullptr) nla_parse_nested(table_.data(), kMax, const_cast<nlattr*>(nest), nullptr);
  }

  const nlattr* operator[](int type) const { return table_.at(static_cast<size_t>(type)); }

 private:
  std::array<nlattr*, kMax + 1> table_{};
};

/// The payload; empty when the attribute is null.
std::span<const uint8_t> Bytes(const nlattr* attribute);
/// The text up to its terminating zero; "" when the attribute is null.
std::string Text(const nlattr* attribute);
/// A number in host byte order; `otherwise` when the attribute is null or too short.
template <class Number>
Number NumberOr(const nlattr* attribute, Number otherwise) {
  const std::span<const uint8_t> bytes = Bytes(attribute);
  if (bytes.size() >= sizeof otherwise) std::memcpy(&otherwise, bytes.data(), sizeof otherwise);
  return otherwise;
}

/// Calls `visit(attribute)` for each attribute inside this one, which may be null.
template <class Visit>
void ForEachNested(const nlattr* nest, const Visit& visit) {
  if (nest == nullptr) return;
  const auto* attribute = static_cast<const nlattr*>(nla_data(nest));
  for (int left = nla_len(nest); nla_ok(attribute, left); attribute = nla_next(attribute, &left)) {
    visit(attribute);
  }
}

}  // namespace cnm::netlink
