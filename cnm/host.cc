// host.cc: which host, boot and host network namespace we are in.
#include "cnm/host.h"

#include "common/base/atomic_file.h"
#include "common/base/error.h"

namespace cnm {

HostIdentity CurrentHost(const netns::NetNs& own) {
  std::optional<std::string> boot_id = ReadFile("/proc/sys/kernel/random/boot_id", 4096);
  if (!boot_id) throw Error(Code::kIo, "read /proc/sys/kernel/random/boot_id: is /proc mounted?");
  while (!boot_id->empty() && boot_id->back() == '\n') boot_id->pop_back();
  return {.boot_id = *std::move(boot_id), .netns = own.identity()};
}

}  // namespace cnm
