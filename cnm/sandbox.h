// sandbox.h: the network stack an endpoint lives in.
#pragma once

#include <string>

#include "common/netns/netns.h"

namespace cnm {

/// A container's network namespace as it was when the endpoint joined it.
struct Sandbox {
  std::string path;          ///< as the runtime gave it
  netns::Identity identity;  ///< device and inode of the namespace then

  bool operator==(const Sandbox&) const = default;
};

}  // namespace cnm
