// docker_leftovers.h: what Docker has of us, shown and taken away by an operator, because Docker
// forgets what it could not tell us: it tries each call for 15 s.
//
//   DELETE /docker-networks/ID       {"force":true}          404 when there is none
//   GET /docker-pools                                        [{"id","uses"}]
//   DELETE /docker-pools             {"pool":ID,"force":true}
//
// Nobody but Docker knows whether it has forgotten one, so nothing goes without "force" (403); and
// no network goes that a running container is on.
#pragma once

#include <optional>

#include "cnm/daemon/assembly.h"
#include "common/http/message.h"

namespace cnm::daemon {

/// Answers the routes above, failures as the REST API does; nullopt for any other.
std::optional<http::Response> AskOfDocker(const Assembly& parts, const http::Request& request);

}  // namespace cnm::daemon
