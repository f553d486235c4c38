// message.cc: an HTTP request and its answer as values.
#include "common/http/message.h"

#include <algorithm>

namespace cnm::http {
namespace {

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool SameName(std::string_view one, std::string_view other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [](char a, char b) { return Lower(a) == Lower(b); });
}

}  // namespace

std::optional<std::string_view> FindHeader(const std::vector<Header>& headers,
                                           std::string_view name) {
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const Header& header) {
    return SameName(header.name, name);
  });
  if (found == headers.end()) return std::nullopt;
  return found->value;
}

Response TextResponse(unsigned status, std::string_view text) {
  Response response{.status = status,
                    .headers = {{"Content-Type", "text/plain; charset=utf-8"}},
                    .body = std::string(text)};
  response.body += '\n';
  return response;
}

}  // namespace cnm::http
