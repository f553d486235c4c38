// resolv_conf.h: a sandbox's /etc/resolv.conf, resolv.conf(5): as text, and as a file that the
// container mounts and may edit.
//
// Which rules differ from host-local's reader of the same format: a later `search`, `domain` or
// `options` line replaces an earlier one, as resolvers do, because here the text decides what a
// container resolves; there it is only handed on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/net/address.h"

namespace cnm::resolv_conf {

/// What the file says. Words are as written.
struct Settings {
  std::vector<std::string> nameservers = {};
  std::vector<std::string> search = {};  ///< of the last `search` or `domain` line
  std::vector<std::string> options = {};
  bool operator==(const Settings&) const = default;
};

/// Reads any text. Comments (from '#' on, or ';' at a line's start) and other keywords are skipped.
Settings Parse(std::string_view text);

/// `search` (left out if it is only "."), `nameserver` and `options` lines.
/// @throws Error kConfig "invalid resolver setting: WHAT" for a word that would not stay one
std::string Build(const Settings& settings);

/// `user`, and for what the user left empty the host's.
Settings Complete(Settings user, const Settings& host);

/// Which name servers a sandbox can reach.
struct Filter {
  bool ipv6 = true;  ///< whether the sandbox has IPv6
  /// What it gets when none is left.
  std::vector<net::Address> fallback = {};
};

/// Google's public servers, the reference's fallback: two of IPv4, and two of IPv6.
std::vector<net::Address> PublicNameservers(bool ipv6);

/// The text without the `nameserver` lines that mean another machine inside a sandbox than on the
/// host: loopback and unspecified addresses, link-local ones whose zone names the host's link, and
/// without IPv6 all of that family. If none is left, the fallback is appended. Other lines stay.
std::string FilterNameservers(std::string_view text, const Filter& filter);

/// What a sandbox with the embedded resolver is given.
struct Embedded {
  /// Nameserver 127.0.0.11, then the host's reachable IPv6 servers, which the embedded one does not
  /// ask; the host's search list and options, with "ndots:0" unless ndots was set.
  std::string text;
  /// The host's IPv4 servers, which the embedded one asks: loopback ones from the host's netns.
  std::vector<net::Address> upstream;
};
/// @param text the host's, unfiltered
Embedded UseEmbedded(std::string_view text);

/// Whether the only server is systemd-resolved's stub on 127.0.0.53, which nobody reaches from a
/// sandbox.
bool IsResolvedStub(std::string_view text);

/// Where the host's own settings are.
struct HostFiles {
  std::string resolv_conf = "/etc/resolv.conf";
  std::string resolved = "/run/systemd/resolve/resolv.conf";  ///< what stands behind the stub
};

/// The host's text, of `resolved` if `resolv_conf` has only the stub; "" without a file.
/// @throws Error kIo
std::string ReadHost(const HostFiles& files = {});

/// Writes the file and, to PATH.hash, the digest of what was written; both with mode 0644.
///
/// Theory of operation: while the file changes, PATH.hash holds the digests of the new and of the
/// old text; whichever is there after a kill is known as ours. Digests do not count empty lines at
/// the end, which a killed MountedFile::Write may leave.
/// @throws Error kIo, kTryAgain
void WriteFile(const std::string& path, std::string_view text);

/// As WriteFile, but only if the file has what was last written: a user's edit stays.
/// @returns false, and changes nothing, if it was edited or is gone
bool UpdateFile(const std::string& path, std::string_view text);

/// A plain copy of `origin` (of nothing if that is missing) that UpdateFile will never change.
void CopyFile(const std::string& origin, const std::string& path);

/// Removes the file, its hash and its lock. @returns false if there was no file
bool RemoveFile(const std::string& path);

}  // namespace cnm::resolv_conf
