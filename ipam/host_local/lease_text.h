// lease_text.h: the texts of a lease directory: what its files contain and how its names are made.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/net/address.h"
#include "ipam/host_local/lease_directory.h"

namespace cnm::host_local {

inline constexpr char kLockName[] = "lock";
inline constexpr char kHintsName[] = ".cnm-hints";
inline constexpr char kTemporaryName[] = ".cnm-new";
/// In place of a boot id: never reclaimed by boot.
inline constexpr char kAnyBoot[] = "-";

/// An address file's content: "<container id>\r\n<ifname>", blanks trimmed as the reference does.
std::string FormatOwner(const Owner& owner);
/// Reads it; a text without "\r\n" is a container id alone, as old releases wrote. nullopt for an
/// empty text and for one that cannot be a lease (control characters, longer than 1 KiB).
std::optional<Owner> ParseOwner(std::string_view bytes);

/// The address a file is named by; nullopt for other names, also for spellings that neither we nor
/// the reference write.
std::optional<net::Address> ParseAddressName(std::string_view name);

/// "last_reserved_ip.N"
std::string CursorName(uint32_t index);
std::optional<uint32_t> ParseCursorName(std::string_view name);

/// ".cnm-<owner>.<index>"
std::string LinkName(std::string_view owner_hash, uint32_t index);
struct LinkParts {
  std::string_view owner_hash;
  uint32_t index;
};
/// Views into `name`.
std::optional<LinkParts> ParseLinkName(std::string_view name);

/// What an owner's symlink says: which file, made or first seen in which boot, is its lease.
struct LinkTarget {
  std::string boot;      ///< as ShortBoot makes it, or kAnyBoot
  uint64_t inode = 0;    ///< of the address file
  int64_t mtime_ns = 0;  ///< since 1970
  net::Address address;
  bool operator==(const LinkTarget&) const = default;
};
/// The first eight digits of a boot id. Should two boots share them, a lease is kept that could be
/// reclaimed, and no harm is done.
std::string_view ShortBoot(std::string_view boot_id);
/// The boot that a lease of this owner dies with. A file with both names is a runtime's, so its
/// container's network namespace goes with the boot in which the lease was made or seen; a reserved
/// one, or one with a single name, which may be a person's, does not: kAnyBoot.
std::string_view LinkBoot(const Owner& owner, std::string_view boot_id);
/// "<boot>/<inode>.<mtime>/<address>", numbers in hexadecimal: short, because ext4 keeps a target
/// below 60 bytes in the inode, and takes milliseconds instead of microseconds to remove a symlink
/// with a longer one.
std::string FormatTarget(const LinkTarget& target);
std::optional<LinkTarget> ParseTarget(std::string_view text);

}  // namespace cnm::host_local
