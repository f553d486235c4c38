// search_path.h: finding programs.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>

namespace cnm {

/// A file that was found, with what stat(2) says about it.
struct FoundFile {
  std::string path;
  struct stat status {};
};

/// The first regular file DIR/name among the directories of `path`, separated by ':'. An empty one
/// is the current directory.
std::optional<FoundFile> FindInPath(std::string_view name, std::string_view path);

/// Where FindProgram looks: $PATH, then the usual directories of the system's programs.
std::string ProgramPath();

/// The first executable of this name there. Relative entries do not count: what they hold is
/// whoever's whose directory we happen to be in.
std::optional<std::string> FindProgram(std::string_view name);

}  // namespace cnm
