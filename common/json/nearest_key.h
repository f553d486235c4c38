// nearest_key.h: which known word a misspelt one was probably meant to be.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace cnm::json {

/// The candidate at the smallest edit distance from `word`, ignoring case; "" when none is near
/// (more than a third of the letters differ).
std::string NearestKey(std::string_view word, std::span<const std::string> candidates);

}  // namespace cnm::json
