// ask.h: cnmd as cnmctl asks it, and what its commands make of texts on the command line.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cnm/api/client.h"
#include "cnm/cli/commands.h"

namespace cnm::cli {

/// The client of options.socket. What it throws when nobody listens says what to do.
api::Client OpenClient(const Options& options);

/// "KEY=VALUE" texts. @throws Error kEnvironment
std::map<std::string, std::string> KeyValues(const std::vector<std::string>& texts);

/// "8080:80", "192.0.2.1:53:53/udp", "[2001:db8::1]:80:80". @throws Error kEnvironment
api::PortRequest ParsePublish(std::string_view text);

/// SERVICE[.NETWORK]; without a network the daemon's default one.
api::ServiceView FindService(const api::Client& client, const std::string& name);

/// The endpoint NAME of NETWORK, each by name or the beginning of its id.
api::ServiceView FindEndpoint(const api::Client& client, const std::string& network,
                              const std::string& name);

/// The sandbox of a container, by its id or a beginning of it that no other has; its id.
/// @throws Error kNotFound, kConfig when there are several
std::string FindSandboxId(const api::Client& client, const std::string& container_id);

/// Prints an object that cnmd answered: as it is with --json, else a line for each member that
/// says something.
void PrintObject(const std::string& body, bool json);

}  // namespace cnm::cli
