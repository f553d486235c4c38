// tls.h: who may talk to us, and whom we talk to, proven by certificates.
//
// Theory of operation: both sides have a certificate of one authority that was made for this
// purpose, and neither talks to anyone else. So whoever holds a key of a certificate of that
// authority may do everything, as with Docker's --tlsverify.
#pragma once

#include <memory>
#include <string>

namespace boost::asio::ssl {
class context;
}

namespace cnm::http {

/// Files in PEM. They are read when a context is made; new ones count from the next start.
struct TlsFiles {
  /// Certificates of the authorities that are trusted; of a client "" = the system's.
  std::string ca;
  /// Our own, with the intermediate ones behind it; of a client "" = none.
  std::string certificate;
  std::string key;     ///< of our certificate, without a passphrase
  bool verify = true;  ///< false, of a client: any server will do
  bool operator==(const TlsFiles&) const = default;
};

/// "DIRECTORY/ca.pem", "cert.pem" and "key.pem": the names Docker uses.
TlsFiles TlsFilesIn(const std::string& directory);

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

/// For a server: TLS 1.2 or later, and no client without a certificate of the authority that may be
/// a client's (an extended key usage, if there is one, says so). Neither tickets nor renegotiation.
/// @throws Error kConfig "TLS: CA FILE: reason", "TLS: certificate FILE: ...", "TLS: key FILE:
/// ...",
///         also when certificate and key do not belong together
TlsContext MakeServerTls(const TlsFiles& files);

/// For a client: the server's certificate is of the authority, unless nothing is verified. That it
/// names the server asked for is checked by the connection. @throws Error as above
TlsContext MakeClientTls(const TlsFiles& files);

}  // namespace cnm::http
