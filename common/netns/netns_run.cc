// netns_run.cc: work in another network namespace, for daemons. Apart, so that no plugin has a way
// back.
#include <exception>

#include "common/base/log.h"
#include "common/netns/netns.h"

namespace cnm::netns {
namespace {

/// Brings the calling thread back when it goes. A thread that cannot come back must not run on: it
/// would take the sandbox for the host. That has no cause but a bug or a kernel out of memory, and
/// a daemon that ends loses nothing.
class WayBack {
 public:
  WayBack() : home_(NetNs::Current()) {}
  WayBack(const WayBack&) = delete;
  WayBack& operator=(const WayBack&) = delete;
  ~WayBack() {
    try {
      home_.Enter();
    } catch (const std::exception& error) {
      Warn(error.what());
      std::terminate();
    }
  }

 private:
  const NetNs home_;
};

}  // namespace

void NetNs::Run(const std::function<void()>& work) const {
  const WayBack back;
  Enter();
  work();
}

}  // namespace cnm::netns
