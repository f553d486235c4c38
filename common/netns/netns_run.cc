// netns_run.cc: work in another network namespace, for daemons. Apart, so that a plugin links no
// thread.
#include <exception>
#include <thread>

#include "common/netns/netns.h"

namespace cnm::netns {

void NetNs::Run(const std::function<void()>& work) const {
  std::exception_ptr failure;
  // The thread ends inside the namespace: nothing has to be restored, so nothing can fail to be.
  std::thread thread([&] {
    try {
      Enter();
      work();
    } catch (...) {
      failure = std::current_exception();
    }
  });
  thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace cnm::netns
