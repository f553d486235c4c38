// error.cc: the one exception type of the project.
#include "common/base/error.h"

#include <cstring>

#include <fmt/format.h>

namespace cnm {

Error& Error::AddContext(std::string_view context) {
  message_ = fmt::format("{}: {}", context, message_);
  return *this;
}

Error& Error::AddDetail(std::string_view detail) {
  if (!details_.empty()) details_ += "; ";
  details_ += detail;
  return *this;
}

std::string_view ErrnoText(int err) {
  const char* text = strerrordesc_np(err);  // glibc 2.32: the untranslated text
  return text == nullptr ? "Unknown error" : text;
}

Error SystemError(Code code, std::string_view what, int err) {
  return Error(code, fmt::format("{}: {}", what, ErrnoText(err)));
}

}  // namespace cnm
