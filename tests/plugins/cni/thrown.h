// thrown.h: what a function throws, as text that a test can compare.
#pragma once

#include <string>

#include <fmt/format.h>

#include "plugins/cni/error.h"

namespace cnm::cni {

/// "NUMBER message" or "NUMBER message | details" of the Error that `work` throws; "" if it throws
/// none.
template <class Work>
std::string Thrown(Work work) {
  try {
    work();
    return "";
  } catch (const Error& e) {
    return fmt::format("{} {}{}{}", NumberOf(e), e.message(), e.details().empty() ? "" : " | ",
                       e.details());
  }
}

}  // namespace cnm::cni
