// rollback.cc: undo steps that run in reverse unless the work is committed.
#include "common/base/rollback.h"

#include <exception>

#include <fmt/format.h>

#include "common/base/log.h"

namespace cnm {

void Rollback::Push(std::string step, std::function<void()> undo) {
  steps_.push_back({std::move(step), std::move(undo)});
  if (observer_) observer_(steps_.back().name);
}

void Rollback::Run() noexcept {
  while (!steps_.empty()) {
    const Step step = std::move(steps_.back());
    steps_.pop_back();
    try {
      step.undo();
    } catch (const std::exception& e) {
      failed_ = true;
      Warn(fmt::format("undo {}: {}", step.name, e.what()));
    }
  }
}

}  // namespace cnm
