// stream.cc: what is said about TLS that failed.
#include "common/http/stream.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <boost/asio/ssl/error.hpp>

#include "common/base/error.h"

namespace cnm::http {
namespace {

using ErrorCode = boost::system::error_code;

int ReasonOf(const ErrorCode& error) {
  return ERR_GET_REASON(static_cast<unsigned long>(error.value()));
}

}  // namespace

bool IsOfTls(const ErrorCode& error) {
  return error.category() == boost::asio::error::get_ssl_category();
}

std::string TlsMessage(const ErrorCode& error) {
  const auto packed = static_cast<unsigned long>(error.value());
  // Asio knows no text for these.
  const bool system = IsOfTls(error) && ERR_SYSTEM_ERROR(packed);
  return system ? std::string(ErrnoText(ReasonOf(error))) : error.message();
}

bool IsPlainHttp(const ErrorCode& error) {
  const int reason = ReasonOf(error);
  return IsOfTls(error) && (reason == SSL_R_HTTP_REQUEST || reason == SSL_R_HTTPS_PROXY_REQUEST);
}

std::string TlsReason(const ErrorCode& error, Stream::Tls& tls) {
  const long verdict = SSL_get_verify_result(tls.native_handle());
  if (IsOfTls(error) && ReasonOf(error) == SSL_R_CERTIFICATE_VERIFY_FAILED &&
      verdict != X509_V_OK) {
    return fmt::format("the other side's certificate: {}", X509_verify_cert_error_string(verdict));
  }
  return TlsMessage(error);
}

}  // namespace cnm::http
