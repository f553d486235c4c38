// busy.h: which objects are being changed: changes of one object wait for one another.
#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace cnm::engine {

/// Objects by id. Several are taken at once or not at all, so two changes never wait for each
/// other in a circle; who holds some may take more only if nobody who holds those waits.
class Busy {
 public:
  /// Holds its objects while it lives.
  class Hold {
   public:
    Hold(Busy* busy, std::vector<std::string> ids) : busy_(busy), ids_(std::move(ids)) {}
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold() { busy_->Release(ids_); }

   private:
    Busy* busy_;
    std::vector<std::string> ids_;
  };

  /// Waits until nobody holds any of them.
  [[nodiscard]] Hold Acquire(std::vector<std::string> ids);

 private:
  void Release(const std::vector<std::string>& ids);

  std::mutex mutex_;
  std::condition_variable released_;
  std::set<std::string> held_;
};

}  // namespace cnm::engine
