// chained.h: what plugins that run behind another one in a chain have in common.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cnm/attachment.h"
#include "cnm/controller.h"
#include "plugins/cni/call.h"

namespace cnm::cni {

/// The prevResult. @throws Error kConfig with `message`, the reference's words for its absence
const Result& RequirePrevResult(const Call& call, std::string_view message);

/// What to ask the core for, so far without any attachment: the endpoint, its sandbox and, from the
/// prevResult, its addresses.
AttachmentSpec MakeAttachmentSpec(const Call& call, std::string_view plugin);

/// The addresses of this call's interface: those whose interface index is absent or out of range,
/// or whose interface is CNI_IFNAME in a sandbox (reference PM-3).
std::vector<net::Prefix> SandboxAddresses(const Call& call);

/// The whole DEL of such a plugin: by record, also when the body names no network; without a record
/// what `spec.foreign` says. `spec.key` and the names in `spec.foreign` are filled in here.
void RemoveAttachments(const Call& call, RemovalSpec spec);

/// The whole GC of such a plugin; `restore` as in RemovalSpec.
void CollectAttachments(const Call& call, std::string_view plugin,
                        std::function<void(const Attachment&)> restore = {});

}  // namespace cnm::cni
