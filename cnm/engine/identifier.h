// identifier.h: the ids of controllers, networks, endpoints and sandboxes.
#pragma once

#include <string>
#include <string_view>

namespace cnm::engine {

/// 64 random hex digits, of which the first 12 are no decimal number: so that their short form is
/// never taken for one (libnetwork.md §0). @throws Error kInternal without random numbers
std::string NewId();

/// The first 12 bytes: what people and file names are given.
std::string_view ShortId(std::string_view id);

/// The boot's id (/proc/sys/kernel/random/boot_id). @throws Error kIo
std::string BootId();

}  // namespace cnm::engine
