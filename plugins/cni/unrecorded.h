// unrecorded.h: checking the rules of an endpoint that no record tells of.
#pragma once

#include <string_view>

#include "common/firewall/firewall.h"
#include "plugins/cni/call.h"

namespace cnm::cni {

/// What has no record may have been made by the reference, or before the records were lost: then
/// it stands in one of the packet filters here, all of it. `backend`: only in this one; "" = any.
/// @throws Error kKernel, in the details what each of them lacks
void VerifyUnrecorded(const Call& call, std::string_view backend, const firewall::Rules& rules);

}  // namespace cnm::cni
