// flags.h: command lines as dnet always understood them: -q, -d test, -d=test, --driver=test.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cnm::dnet {

/// The flags of one command. Flags and arguments may be mixed; behind "--" there are only
/// arguments.
class Flags {
 public:
  /// `names` as typed, separated by blanks ("-d --driver"); those behind a "#" work and are not
  /// shown. `out` keeps its value when the flag is not given.
  void Text(std::string_view names, std::string& out, std::string_view description);
  void List(std::string_view names, std::vector<std::string>& out, std::string_view description);
  void Bool(std::string_view names, bool& out, std::string_view description);

  /// Sets the outs. With `leading`, ends at the first argument: the rest, flags included, belongs
  /// to it. @returns the arguments
  /// @throws Error kEnvironment "flag provided but not defined: -x", "flag needs an argument: -d",
  ///         "invalid boolean value \"x\" for -q"
  std::vector<std::string> Parse(const std::vector<std::string>& words, bool leading = false) const;

  /// A line for each flag that is shown.
  std::string Description() const;

 private:
  struct Flag {
    std::vector<std::string> names;  ///< with their dashes
    std::vector<std::string> hidden;
    std::string description;
    std::string* text = nullptr;
    std::vector<std::string>* list = nullptr;
    bool* boolean = nullptr;
  };
  void Add(std::string_view names, Flag flag);
  const Flag& Find(const std::string& name) const;

  std::vector<Flag> flags_;
};

}  // namespace cnm::dnet
