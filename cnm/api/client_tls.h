// client_tls.h: how a client of the REST API is told to use TLS, alike in dnet and cnmctl.
#pragma once

#include <optional>

#include "common/http/tls.h"

namespace cnm::api {

/// As given on the command line, after Docker's client: --tlsverify, --tlscacert, --tlscert,
/// --tlskey. Files that are not named are "".
struct ClientTls {
  bool verify = false;
  http::TlsFiles files = {};
};

/// The files to use on TCP; nullopt: no TLS. It is used with --tlsverify, or where $CNM_TLS_VERIFY
/// is neither empty nor 0, false, no or off; files that are not named are ca.pem, cert.pem and
/// key.pem in $CNM_CERT_PATH or else in ~/.cnm.
/// @throws Error kEnvironment for files named without it: they would go unused
std::optional<http::TlsFiles> ResolveTls(const ClientTls& given);

}  // namespace cnm::api
