// quote.h: JSON string literals as Go's encoder writes them; private to common/json.
#pragma once

#include <string>
#include <string_view>

namespace cnm::json::internal {

/// Appends `text` in quotes. Escaped: quote, backslash, control characters, <, > and & (for HTML),
/// U+2028 and U+2029 (for JavaScript); each byte that is not UTF-8 becomes \ufffd.
void AppendQuoted(std::string& out, std::string_view text);

}  // namespace cnm::json::internal
