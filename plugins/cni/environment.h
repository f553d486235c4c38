// environment.h: the process environment as a value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cnm::cni {

/// A view of "NAME=value" entries ended by a null pointer, as execve(2) gives them to a program.
class Environment {
 public:
  explicit Environment(const char* const* entries) : entries_(entries) {}

  /// The value of the first entry of that name; "" when absent: CNI does not tell the two apart.
  std::string_view Get(std::string_view name) const;

  /// A copy of all entries but those that `replacements` ("NAME=value") name, followed by them.
  std::vector<std::string> With(std::vector<std::string> replacements) const;

 private:
  const char* const* entries_;
};

}  // namespace cnm::cni
