// attributes.cc: writing attributes into requests and reading them from replies, sizes checked.
#include "common/netlink/attributes.h"

#include <netlink/msg.h>

#include "common/base/error.h"

namespace cnm::netlink {
namespace {

[[noreturn]] void ThrowFull(const Request& request) {
  throw Error(Code::kInternal, request.what() + ": the message is full");
}

}  // namespace

void AppendBytes(const Request& request, const void* header, size_t size) {
  void* const room = nlmsg_reserve(request.message(), size, NLMSG_ALIGNTO);
  if (room == nullptr) ThrowFull(request);
  std::memcpy(room, header, size);
}

void Put(const Request& request, int type, std::span<const uint8_t> bytes) {
  if (nla_put(request.message(), type, static_cast<int>(bytes.size()), bytes.data()) < 0) {
    ThrowFull(request);
  }
}

void PutText(const Request& request, int type, std::string_view text) {
  nlattr* const room = nla_reserve(request.message(), type, static_cast<int>(text.size()) + 1);
  if (room == nullptr) ThrowFull(request);
  char* const payload = static_cast<char*>(nla_data(room));
  std::memcpy(payload, text.data(), text.size());
  payload[text.size()] = '\0';
}

Nest::Nest(const Request& request, int type)
    : message_(request.message()), start_(nla_nest_start(message_, type)) {
  if (start_ == nullptr) ThrowFull(request);
}

Nest::~Nest() {
  nla_nest_end(message_, start_);
}

std::span<const uint8_t> Bytes(const nlattr* attribute) {
  if (attribute == nullptr) return {};
  return {static_cast<const uint8_t*>(nla_data(attribute)),
          static_cast<size_t>(nla_len(attribute))};
}

std::string Text(const nlattr* attribute) {
  const std::span<const uint8_t> bytes = Bytes(attribute);
  const char* const text = reinterpret_cast<const char*>(bytes.data());
  return bytes.empty() ? std::string() : std::string(text, ::strnlen(text, bytes.size()));
}

}  // namespace cnm::netlink
