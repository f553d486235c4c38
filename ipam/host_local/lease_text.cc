// lease_text.cc: the texts of a lease directory: what its files contain and how its names are made.
#include "ipam/host_local/lease_text.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include <fmt/format.h>

namespace cnm::host_local {
namespace {

constexpr size_t kMaxOwnerBytes = 1024;
constexpr std::string_view kLineBreak = "\r\n";
constexpr std::string_view kCursorPrefix = "last_reserved_ip.";
constexpr std::string_view kLinkPrefix = ".cnm-";
constexpr size_t kHashDigits = 16;

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f";
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

/// All of `text` as a number of that base, written as we write it: no sign, no leading zeros.
template <class Number, int Base>
std::optional<Number> ParseNumber(std::string_view text) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, Base);
  const bool leads = text.size() > 1 && text[0] == '0';
  if (error != std::errc() || stop != end || leads) return std::nullopt;
  return number;
}

}  // namespace

std::string FormatOwner(const Owner& owner) {
  const std::string text =
      fmt::format("{}{}{}", Trim(owner.container_id), kLineBreak, owner.ifname);
  return std::string(Trim(text));
}

std::optional<Owner> ParseOwner(std::string_view bytes) {
  const std::string_view text = Trim(bytes);
  if (text.empty() || text.size() > kMaxOwnerBytes) return std::nullopt;
  const size_t end = text.find(kLineBreak);
  Owner owner{std::string(text.substr(0, end)), ""};
  if (end != std::string_view::npos) owner.ifname = text.substr(end + kLineBreak.size());
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(owner.container_id, is_control) ||
      std::ranges::any_of(owner.ifname, is_control)) {
    return std::nullopt;
  }
  return owner;
}

std::optional<net::Address> ParseAddressName(std::string_view name) {
  const auto address = net::Address::Parse(name);
  if (!address || address->ToString() != name) return std::nullopt;
  return address;
}

std::string CursorName(uint32_t index) {
  return fmt::format("{}{}", kCursorPrefix, index);
}

std::optional<uint32_t> ParseCursorName(std::string_view name) {
  if (!name.starts_with(kCursorPrefix)) return std::nullopt;
  return ParseNumber<uint32_t, 10>(name.substr(kCursorPrefix.size()));
}

std::string LinkName(std::string_view owner_hash, uint32_t index) {
  return fmt::format("{}{}.{}", kLinkPrefix, owner_hash, index);
}

std::optional<LinkParts> ParseLinkName(std::string_view name) {
  const size_t dot = kLinkPrefix.size() + kHashDigits;
  if (!name.starts_with(kLinkPrefix) || name.size() <= dot || name[dot] != '.') return std::nullopt;
  const auto index = ParseNumber<uint32_t, 10>(name.substr(dot + 1));
  if (!index) return std::nullopt;
  return LinkParts{name.substr(kLinkPrefix.size(), kHashDigits), *index};
}

std::string_view ShortBoot(std::string_view boot_id) {
  return boot_id.substr(0, 8);
}

std::string_view LinkBoot(const Owner& owner, std::string_view boot_id) {
  const bool any = owner.ifname.empty() || owner.container_id == kReservedId;
  return any ? std::string_view(kAnyBoot) : ShortBoot(boot_id);
}

std::string FormatTarget(const LinkTarget& target) {
  return fmt::format("{}/{:x}.{:x}/{}", target.boot, target.inode,
                     static_cast<uint64_t>(target.mtime_ns), target.address.ToString());
}

std::optional<LinkTarget> ParseTarget(std::string_view text) {
  const size_t first = text.find('/');
  const size_t second = text.rfind('/');
  const size_t dot = text.find('.', first == std::string_view::npos ? 0 : first);
  if (first == 0 || first == second || dot > second) return std::nullopt;
  const auto inode = ParseNumber<uint64_t, 16>(text.substr(first + 1, dot - first - 1));
  const auto mtime = ParseNumber<uint64_t, 16>(text.substr(dot + 1, second - dot - 1));
  const auto address = ParseAddressName(text.substr(second + 1));
  if (!inode || !mtime || !address) return std::nullopt;
  return LinkTarget{std::string(text.substr(0, first)), *inode, static_cast<int64_t>(*mtime),
                    *address};
}

}  // namespace cnm::host_local
