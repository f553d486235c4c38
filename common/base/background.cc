// background.cc: threads for what a daemon has to have done, but need not wait for.
#include "common/base/background.h"

#include <utility>

namespace cnm {

Background::Background(unsigned threads) {
  threads_.reserve(threads);
  while (threads_.size() < threads) threads_.emplace_back([this] { Serve(); });
}

Background::~Background() {
  {
    const std::lock_guard guard(mutex_);
    ending_ = true;
  }
  news_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Background::Run(std::function<void()> work) {
  {
    const std::lock_guard guard(mutex_);
    waiting_.push_back(std::move(work));
  }
  news_.notify_one();
}

void Background::Serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    news_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    std::function<void()> work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work();
    work = nullptr;  // what it holds ends here too, not under the lock
    lock.lock();
  }
}

}  // namespace cnm
