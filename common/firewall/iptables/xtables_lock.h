// xtables_lock.h: the lock that programs which change iptables' rules share. Internal to the
// iptables backend and its helper program.
#pragma once

#include "common/base/file_lock.h"

namespace cnm::firewall::iptables {

/// Locks /run/xtables.lock, waiting for 20 s at most.
/// @throws Error kTryAgain naming the process that holds it; kIo
FileLock AcquireXtablesLock();

}  // namespace cnm::firewall::iptables
