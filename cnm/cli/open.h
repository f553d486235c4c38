// open.h: the core as cnmctl opens it.
#pragma once

#include "cnm/cli/commands.h"
#include "cnm/controller.h"

namespace cnm::cli {

/// With every driver of this program. What it collects it gives back to the IPAM plugin that the
/// record names, by running that plugin's DEL.
Controller OpenController(const Options& options);

}  // namespace cnm::cli
