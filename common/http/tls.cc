// tls.cc: contexts of OpenSSL that trust one authority.
#include "common/http/tls.h"

#include <sys/stat.h>

#include <fmt/format.h>
#include <openssl/ssl.h>
#include <boost/asio/ssl/context.hpp>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/http/stream.h"

namespace cnm::http {
namespace {

namespace ssl = boost::asio::ssl;
using ErrorCode = boost::system::error_code;

void Check(const ErrorCode& error, std::string_view what, const std::string& file) {
  if (!error) return;
  throw Error(Code::kConfig, fmt::format("TLS: {} {}: {}", what, file, TlsMessage(error)));
}

void WarnOfOpenKey(const std::string& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0 || (status.st_mode & (S_IRWXG | S_IRWXO)) == 0) return;
  Warn(fmt::format("TLS: key {}: others than its owner may use it (mode {:o}); chmod 600 {}", file,
                   status.st_mode & 07777, file));
}

TlsContext MakeTls(ssl::context::method method) {
  auto context = std::make_shared<ssl::context>(method);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(native, 0);
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);  // an idle connection costs little
  return context;
}

void LoadAuthority(const TlsFiles& files, ssl::context& context) {
  ErrorCode error;
  context.load_verify_file(files.ca, error);
  Check(error, "CA", files.ca);
}

void LoadOwn(const TlsFiles& files, ssl::context& context) {
  ErrorCode error;
  context.use_certificate_chain_file(files.certificate, error);
  Check(error, "certificate", files.certificate);
  WarnOfOpenKey(files.key);
  // Nobody is there to be asked for a passphrase.
  context.set_password_callback([](size_t, ssl::context::password_purpose) { return ""; }, error);
  context.use_private_key_file(files.key, ssl::context::pem, error);
  Check(error, "key", files.key);
}

}  // namespace

TlsFiles TlsFilesIn(const std::string& directory) {
  return {.ca = fmt::format("{}/ca.pem", directory),
          .certificate = fmt::format("{}/cert.pem", directory),
          .key = fmt::format("{}/key.pem", directory)};
}

TlsContext MakeServerTls(const TlsFiles& files) {
  TlsContext context = MakeTls(ssl::context::tls_server);
  LoadAuthority(files, *context);
  LoadOwn(files, *context);
  context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
  // What clients choose their certificate by.
  SSL_CTX_set_client_CA_list(context->native_handle(), SSL_load_client_CA_file(files.ca.c_str()));
  return context;
}

TlsContext MakeClientTls(const TlsFiles& files) {
  TlsContext context = MakeTls(ssl::context::tls_client);
  if (files.ca.empty()) {
    ErrorCode none;  // a host without any refuses every server
    context->set_default_verify_paths(none);
  } else {
    LoadAuthority(files, *context);
  }
  if (!files.certificate.empty()) LoadOwn(files, *context);
  context->set_verify_mode(files.verify ? ssl::verify_peer : ssl::verify_none);
  return context;
}

}  // namespace cnm::http
