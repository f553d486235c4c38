// attachment.h: what a meta plugin adds to an endpoint, recorded so that anybody can remove it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cnm/address_source.h"
#include "cnm/endpoint.h"
#include "common/base/rollback.h"
#include "common/firewall/firewall.h"

namespace cnm {

/// What AddAttachments is asked for.
struct AttachmentSpec {
  EndpointKey key;
  std::string plugin;  ///< "portmap"
  /// Where the endpoint lives and what its addresses are: for the record of an endpoint that is not
  /// ours.
  Sandbox sandbox;
  Addressing addressing = {};
  /// Each with `plugin`, `backend` and what it consists of; owner and names are filled in.
  std::vector<Attachment> wanted = {};
  /// The plugin's own kernel changes, made after the record was written; each pushes its undo step.
  std::function<void(Rollback& undo)> apply = {};
  Rollback::Observer observer = {};  ///< tests fail each step with it
};

/// What RemoveAttachments is asked for.
struct RemovalSpec {
  EndpointKey key;
  std::string plugin;
  /// Puts back what the plugin itself changed, given what it recorded; not called without a record.
  std::function<void(const Attachment&)> restore = {};
  /// What to look for, in every backend, when there is no record: the reference plugins' leavings.
  std::optional<firewall::Foreign> foreign = {};
};

}  // namespace cnm
