// open.h: the core as cnmctl opens it.
#pragma once

#include "cnm/cli/commands.h"
#include "cnm/controller.h"

namespace cnm::cli {

/// @throws Error kEnvironment when only another user may read the records
void RequireRecords(const Options& options);

/// With every driver of this program. What it collects it gives back to the IPAM plugin that the
/// record names, by running that plugin's DEL. @throws Error as RequireRecords
Controller OpenController(const Options& options);

}  // namespace cnm::cli
