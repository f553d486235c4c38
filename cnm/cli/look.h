// look.h: what networks and endpoints there are, for cnmctl's commands.
#pragma once

#include <string>

#include "cnm/api/client.h"
#include "cnm/cli/commands.h"
#include "cnm/inventory/inventory.h"

namespace cnm::cli {

/// From the records, where the caller may read them; else, as for members of group cnm and for
/// another host's socket, from cnmd.
inventory::Inventory Look(const Options& options);

/// From cnmd.
inventory::Inventory AskInventory(const api::Client& client);

/// What the API calls the network of that name, id or beginning of an id.
/// @throws Error kNotFound; kConfig for a network of CNI or Docker alone, saying whose it is
inventory::Membership GetApiNetwork(const inventory::Inventory& inventory,
                                    const std::string& name_or_id);

/// The endpoint of that network by its name, or the beginning of its id or of its container's.
/// @throws Error kNotFound; kConfig when there are several
const inventory::EndpointEntry& GetEndpoint(const inventory::Inventory& inventory,
                                            const std::string& network, const std::string& name);

}  // namespace cnm::cli
