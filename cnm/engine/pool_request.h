// pool_request.h: how a pool is found again that was given to a process which was killed before it
// could write that down. Options of PoolSpec, for IPAM drivers of ours; others know nothing of
// them.
#pragma once

namespace cnm::engine {

/// Names the request: repeated, it is the same use of the same pool.
inline constexpr char kRequestOption[] = "cnm.request";
/// "true": only find what was given to that request. @throws Error kNotFound if nothing was
inline constexpr char kFindOption[] = "cnm.find";

}  // namespace cnm::engine
