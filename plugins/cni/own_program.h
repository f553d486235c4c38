// own_program.h: whether a file is the program that is running.
#pragma once

#include <sys/stat.h>

#include <string>

namespace cnm::cni {

/// True for a hard link to this program and for a copy of it (same size and same ELF build id),
/// false when in doubt. `status` is the file's, as stat(2) gave it.
bool IsOwnProgram(const std::string& file, const struct stat& status);

}  // namespace cnm::cni
