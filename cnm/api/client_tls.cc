// client_tls.cc: how a client of the REST API is told to use TLS.
#include "cnm/api/client_tls.h"

#include <algorithm>
#include <array>
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

/// Docker's client takes any value of DOCKER_TLS_VERIFY for yes, also "0"; whoever writes 0 means
/// no.
bool WantedByVariable() {
  const std::string value = Variable("CNM_TLS_VERIFY");
  constexpr std::array kNo = {"", "0", "f", "F", "false", "FALSE", "False", "no", "off"};
  return std::find(kNo.begin(), kNo.end(), value) == kNo.end();
}

const std::string& Either(const std::string& given, const std::string& otherwise) {
  return given.empty() ? otherwise : given;
}

}  // namespace

std::optional<http::TlsFiles> ResolveTls(const ClientTls& given) {
  if (!given.verify && !WantedByVariable()) {
    if (given.files == http::TlsFiles()) return std::nullopt;
    throw Error(Code::kEnvironment, "tlscacert, tlscert or tlskey without tlsverify",
                "give --tlsverify, or set CNM_TLS_VERIFY=1");
  }
  const std::string directory = Variable("CNM_CERT_PATH");
  const http::TlsFiles usual =
      http::TlsFilesIn(directory.empty() ? fmt::format("{}/.cnm", Variable("HOME")) : directory);
  return http::TlsFiles{.ca = Either(given.files.ca, usual.ca),
                        .certificate = Either(given.files.certificate, usual.certificate),
                        .key = Either(given.files.key, usual.key)};
}

}  // namespace cnm::api
