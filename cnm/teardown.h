// teardown.h: going on after a failure, because half a teardown is worse than a late error.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "common/base/error.h"

namespace cnm {

/// Runs steps and collects their errors; the first is thrown at the end with the others in its
/// details.
class Teardown {
 public:
  /// @returns whether the step succeeded
  template <class Step>
  bool Try(std::string_view noun, Step step) {
    try {
      std::forward<Step>(step)();
      return true;
    } catch (Error& e) {
      errors_.push_back(std::move(e.AddContext(noun)));
      return false;
    }
  }
  /// As Try, for a step whose error is another program's and passes unwrapped.
  template <class Step>
  bool TryUnwrapped(Step step) {
    try {
      std::forward<Step>(step)();
      return true;
    } catch (const Error& e) {
      errors_.push_back(e);
      return false;
    }
  }
  bool ok() const { return errors_.empty(); }
  void ThrowIfFailed() const;

 private:
  std::vector<Error> errors_;
};

}  // namespace cnm
