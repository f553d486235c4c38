// client_tls.cc: how a client of the REST API is told to use TLS.
#include "cnm/api/client_tls.h"

#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::api {
namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

const std::string& Either(const std::string& given, const std::string& otherwise) {
  return given.empty() ? otherwise : given;
}

}  // namespace

std::optional<http::TlsFiles> ResolveTls(const ClientTls& given) {
  if (!given.verify && Variable("CNM_TLS_VERIFY").empty()) {
    if (given.files == http::TlsFiles()) return std::nullopt;
    throw Error(Code::kEnvironment, "tlscacert, tlscert or tlskey without tlsverify");
  }
  const std::string directory = Variable("CNM_CERT_PATH");
  const http::TlsFiles usual =
      http::TlsFilesIn(directory.empty() ? fmt::format("{}/.cnm", Variable("HOME")) : directory);
  return http::TlsFiles{.ca = Either(given.files.ca, usual.ca),
                        .certificate = Either(given.files.certificate, usual.certificate),
                        .key = Either(given.files.key, usual.key)};
}

}  // namespace cnm::api
