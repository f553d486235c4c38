// rollback.h: undo steps that run in reverse unless the work is committed.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cnm {

/// Collects an undo step after each change; runs them newest first when destroyed before Commit().
/// A failing step is reported to stderr and the others still run: whatever is left is found again
/// through the journal.
class Rollback {
 public:
  /// Called after every Push with the step's name. Tests throw from it to fail at each step in
  /// turn.
  using Observer = std::function<void(std::string_view step)>;

  Rollback() = default;
  explicit Rollback(Observer observer) : observer_(std::move(observer)) {}
  Rollback(const Rollback&) = delete;
  Rollback& operator=(const Rollback&) = delete;
  ~Rollback() { Run(); }

  void Push(std::string step, std::function<void()> undo);
  /// Keeps everything: the steps are forgotten.
  void Commit() { steps_.clear(); }
  /// Undoes everything now.
  void Run() noexcept;
  /// Whether an undo step has failed: a last step that forgets the journal must not run then.
  bool failed() const { return failed_; }

 private:
  struct Step {
    std::string name;
    std::function<void()> undo;
  };
  Observer observer_;
  std::vector<Step> steps_;
  bool failed_ = false;
};

}  // namespace cnm
