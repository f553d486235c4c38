// deferred.cc: work that need not be waited for.
#include "cnm/engine/deferred.h"

namespace cnm::engine {

Deferred::~Deferred() {
  {
    const std::lock_guard guard(mutex_);
    ends_ = true;
  }
  asked_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Deferred::Ask(const std::string& key) {
  {
    const std::lock_guard guard(mutex_);
    keys_.insert(key);
    if (!thread_.joinable()) thread_ = std::thread([this] { Serve(); });
  }
  asked_.notify_one();
}

void Deferred::Serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    asked_.wait(lock, [this] { return ends_ || !keys_.empty(); });
    if (keys_.empty()) return;
    const std::string key = *keys_.begin();
    keys_.erase(keys_.begin());
    lock.unlock();
    work_(key);
    lock.lock();
  }
}

}  // namespace cnm::engine
