// busy.cc: which objects are being changed.
#include "cnm/engine/busy.h"

#include <algorithm>
#include <utility>

namespace cnm::engine {

Busy::Hold Busy::Acquire(std::vector<std::string> ids) {
  std::unique_lock lock(mutex_);
  released_.wait(lock, [&] {
    return std::none_of(ids.begin(), ids.end(),
                        [this](const std::string& id) { return held_.contains(id); });
  });
  held_.insert(ids.begin(), ids.end());
  return {this, std::move(ids)};
}

void Busy::Release(const std::vector<std::string>& ids) {
  {
    const std::lock_guard guard(mutex_);
    for (const std::string& id : ids) held_.erase(id);
  }
  released_.notify_all();
}

}  // namespace cnm::engine
