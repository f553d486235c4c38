// etc_hosts.h: a sandbox's /etc/hosts, hosts(5): as text, and as a file that the container mounts.
//
// The functions on text are pure and keep every line they do not change, comments and the
// container's own edits included.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/net/address.h"

namespace cnm::etc_hosts {

/// One line. `names` are host names separated by blanks, the canonical one first.
struct Record {
  net::Address address;
  std::string names;
  bool operator==(const Record&) const = default;
};

/// Whether it can stand in a hosts file as one name: not empty, no blank, '#' or control character.
bool IsName(std::string_view text);

/// The line by which a host knows itself: "web.example web", or "web" without a domain; nullopt
/// without a host name, because an address alone is no line of hosts(5).
std::optional<Record> MakeSelf(const net::Address& address, const std::string& host,
                               const std::string& domain);

/// A whole file: the host's own line if it has one, the six lines every host has (localhost and the
/// IPv6 multicast names), then `extra`.
/// @throws Error kConfig "invalid host names: WHAT" for names that are no names: empty, with a
///         control character or '#', any of which would make another line or comment of them. So do
///         the other functions that add.
std::string Build(const std::optional<Record>& self, const std::vector<Record>& extra);

/// Appends the records that are not there yet. @throws Error kConfig as Build
std::string Add(std::string_view text, const std::vector<Record>& records);

/// Removes every line of the given address with exactly the given names; the same name with another
/// address, and a longer name, stay.
std::string Remove(std::string_view text, const std::vector<Record>& records);

/// Gives `address` to every line of its family on which `name` stands as a whole word. The six
/// lines every host has stay.
std::string Update(std::string_view text, const net::Address& address, std::string_view name);

/// Makes the file anew, or in place if it is there: mode 0644, its directory if missing.
/// @throws Error kIo, kTryAgain, and so do all below; kConfig as Build
void WriteFile(const std::string& path, const std::optional<Record>& self,
               const std::vector<Record>& extra);
/// A plain copy of `origin`; of nothing if that is missing, for a host without /etc/hosts is one.
void CopyFile(const std::string& origin, const std::string& path);
/// @throws Error kIo "read PATH: No such file or directory" if there is none, as UpdateFile
void AddToFile(const std::string& path, const std::vector<Record>& records);
void UpdateFile(const std::string& path, const net::Address& address, std::string_view name);
/// A missing file has no records.
void RemoveFromFile(const std::string& path, const std::vector<Record>& records);

}  // namespace cnm::etc_hosts
