// background.h: threads for what a daemon has to have done, but need not wait for.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace cnm {

/// Runs work in threads that exist from the start, in the namespaces of whoever made it; first
/// come, first served. May be used from any thread.
class Background {
 public:
  explicit Background(unsigned threads);
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  /// After all work is done.
  ~Background();

  /// `work` must not throw.
  void Run(std::function<void()> work);

 private:
  void Serve();

  std::mutex mutex_;
  std::condition_variable news_;
  std::deque<std::function<void()>> waiting_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace cnm
