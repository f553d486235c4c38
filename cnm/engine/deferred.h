// deferred.h: work that need not be waited for, on one thread, once however often it is asked for.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace cnm::engine {

/// Runs `work(key)` for keys that are asked for. The thread begins with the first and sleeps while
/// there is none. What is left when it is destroyed is still done.
class Deferred {
 public:
  /// `work` does not throw.
  explicit Deferred(std::function<void(const std::string& key)> work) : work_(std::move(work)) {}
  Deferred(const Deferred&) = delete;
  Deferred& operator=(const Deferred&) = delete;
  ~Deferred();

  void Ask(const std::string& key);

 private:
  void Serve();

  const std::function<void(const std::string& key)> work_;
  std::mutex mutex_;
  std::condition_variable asked_;
  std::set<std::string> keys_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace cnm::engine
