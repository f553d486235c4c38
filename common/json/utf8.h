// utf8.h: what is UTF-8 and what is not; private to common/json.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace cnm::json::internal {

/// A character's bytes and number.
struct Character {
  size_t length = 0;  ///< 1..4; 0: the text does not begin with UTF-8
  uint32_t code_point = 0;
};

/// The character that `text`, not empty, begins with (Unicode 15, table 3-7: no overlong forms, no
/// surrogates).
Character FirstCharacter(std::string_view text);

bool IsUtf8(std::string_view text);

}  // namespace cnm::json::internal
