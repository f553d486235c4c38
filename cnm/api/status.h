// status.h: how failures leave through the REST API.
#pragma once

#include <string>

#include "common/base/error.h"
#include "common/http/message.h"

namespace cnm::api {

/// The HTTP status of each kind of failure (libnetwork.md §1.3): the one table of this door.
unsigned StatusOf(Code code);

/// What a failure of this status was; the reverse of StatusOf for clients.
Code CodeOf(unsigned status);

/// text/plain: the message alone, because clients of the reference compare it. The details are in
/// the header field kDetailsField, without line breaks.
http::Response FailureResponse(const Error& error);
inline constexpr char kDetailsField[] = "Cnm-Details";

/// The same failure told to someone who asked for a service: an endpoint is called a service, and
/// "service endpoint with name X" is not a "service service".
Error InTermsOfServices(const Error& error);

}  // namespace cnm::api
