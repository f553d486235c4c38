// forgotten.h: what nobody will ask to be removed any more.
#pragma once

#include "cnm/daemon/assembly.h"

namespace cnm::daemon {

/// After so many seconds Docker will not come back to a call that was not answered: it has repeated
/// it for 15 s.
inline constexpr unsigned kForgottenAfter = 300;

/// Before anybody is served: addresses that the engine requested and could not write down.
void ReleaseUnwritten(Assembly& parts);

/// Removes what ended without a call, endpoints first; what fails is named on stderr.
/// @returns how many endpoints it removed or led out of their sandboxes
size_t CollectForgotten(Assembly& parts);

}  // namespace cnm::daemon
