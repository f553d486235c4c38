// clock.h: the time of day.
#pragma once

#include <cstdint>
#include <string>

namespace cnm {

/// Now, ns since 1970.
int64_t NowNs();

/// Now, s since 1970.
int64_t NowSeconds();

/// "2026-11-22T13:10:14.123456789Z" of ns since 1970 (RFC 3339), so that texts sort as times do; ""
/// of 0, which means: not known.
std::string UtcText(int64_t ns);

}  // namespace cnm
