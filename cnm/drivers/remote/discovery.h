// discovery.h: where a plugin listens: the files in which Docker's plugins are announced.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/http/client.h"

namespace cnm::remote {

/// Searched in this order. In each for NAME.sock, NAME.spec and NAME.json, also in a subdirectory
/// NAME. The first three are Docker's, the last libnetwork's of 2015.
struct PluginDirectories {
  std::vector<std::string> directories = {"/run/docker/plugins", "/etc/docker/plugins",
                                          "/usr/lib/docker/plugins", "/usr/share/docker/plugins"};
};

/// Where the plugin listens: a socket, the URL that a .spec file consists of (a .spec that is a
/// socket counts as one), or the Addr of a .json file ({"Name":"x","Addr":"tcp://127.0.0.1:1"}).
/// To https:// it is TLS, with the .json file's TLSConfig {"CAFile","CertFile","KeyFile",
/// "InsecureSkipVerify"}; without a CAFile any server will do, as for Docker.
/// nullopt when nothing announces it, or `name` cannot be a file's.
/// @throws Error kConfig for an announcement that cannot be used (no URL, a certificate without
/// key); kDecode, kIo
std::optional<http::ServerAddress> FindPlugin(std::string_view name,
                                              const PluginDirectories& directories);

}  // namespace cnm::remote
