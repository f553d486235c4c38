// lease_hints.cc: what the last call knew of a lease directory, as bytes of `.cnm-hints`.
//
// The file is overwritten in place, because a rename would change the directory that the hints
// describe. A checksum tells a torn write: header "cnm-hints 1\n", payload size (4 bytes), FNV-1a
// of the payload (8 bytes), payload. Numbers are big-endian.
#include "ipam/host_local/lease_hints.h"

#include <span>

#include "common/base/error.h"
#include "common/net/address.h"

namespace cnm::host_local {
namespace {

constexpr std::string_view kMagic = "cnm-hints 1\n";
constexpr size_t kHeaderBytes = kMagic.size() + 4 + 8;

uint64_t Checksum(std::string_view bytes) {
  uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a, 64 bits
  for (const char c : bytes) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3U;
  return hash;
}

class Writer {
 public:
  void Number(uint64_t value, unsigned size) {
    while (size-- > 0) bytes_.push_back(static_cast<char>((value >> (size * 8)) & 0xffU));
  }
  void Text(std::string_view text) {
    Number(text.size(), 4);
    bytes_ += text;
  }
  void Spans(const std::vector<Span>& spans) {
    Number(spans.size(), 4);
    for (const Span& span : spans) {
      Address(span.first);
      Address(span.last);
    }
  }
  std::string bytes_;

 private:
  void Address(const net::Address& address) {
    const auto raw = address.bytes();
    Text({reinterpret_cast<const char*>(raw.data()), raw.size()});  // NOLINT: bytes are bytes
  }
};

/// Reads what Writer wrote; after the end everything is zero and `ok` false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  bool ok() const { return ok_; }

  uint64_t Number(unsigned size) {
    uint64_t value = 0;
    for (const char c : Take(size)) value = value << 8U | static_cast<uint8_t>(c);
    return value;
  }
  std::string_view Text() { return Take(Number(4)); }
  uint32_t Count() {
    const uint64_t count = Number(4);
    if (count > bytes_.size()) ok_ = false;  // each element takes a byte at least
    return ok_ ? static_cast<uint32_t>(count) : 0;
  }
  std::vector<Span> Spans() {
    std::vector<Span> spans(Count());
    for (Span& span : spans) span = {Address(), Address()};
    return spans;
  }

 private:
  std::string_view Take(uint64_t size) {
    if (size > bytes_.size()) ok_ = false;
    if (!ok_) return {};
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  net::Address Address() {
    const std::string_view raw = Text();
    if (raw.size() != 4 && raw.size() != 16) ok_ = false;
    if (!ok_) return {};
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are bytes
    return net::Address(std::span(reinterpret_cast<const uint8_t*>(raw.data()), raw.size()));
  }

  std::string_view bytes_;
  bool ok_ = true;
};

LeaseHints ReadPayload(Reader& reader) {
  LeaseHints hints;
  hints.boot_id = reader.Text();
  hints.modified_ns = static_cast<int64_t>(reader.Number(8));
  hints.trusted_ns = static_cast<int64_t>(reader.Number(8));
  hints.link_indexes = static_cast<uint32_t>(reader.Number(4));
  hints.has_nameless = reader.Number(1) != 0;
  for (uint32_t n = reader.Count(); n > 0 && reader.ok(); --n) {
    SetHint& set = hints.sets.emplace_back();
    set.shape.spans = reader.Spans();
    set.shape.blocked = reader.Spans();
    set.bits = ipam::BitSequence::Deserialize(reader.Text());
  }
  for (uint32_t n = reader.Count(); n > 0 && reader.ok(); --n) {
    Cursor& cursor = hints.cursors.emplace_back();
    cursor.index = static_cast<uint32_t>(reader.Number(4));
    cursor.inode = reader.Number(8);
    cursor.text = reader.Text();
  }
  return hints;
}

bool IsConsistent(const LeaseHints& hints) {
  for (const SetHint& set : hints.sets) {
    if (set.bits.bits() != OrdinalCount(set.shape.spans)) return false;
  }
  return true;
}

}  // namespace

std::string EncodeHints(const LeaseHints& hints) {
  Writer payload;
  payload.Text(hints.boot_id);
  payload.Number(static_cast<uint64_t>(hints.modified_ns), 8);
  payload.Number(static_cast<uint64_t>(hints.trusted_ns), 8);
  payload.Number(hints.link_indexes, 4);
  payload.Number(hints.has_nameless ? 1 : 0, 1);
  payload.Number(hints.sets.size(), 4);
  for (const SetHint& set : hints.sets) {
    payload.Spans(set.shape.spans);
    payload.Spans(set.shape.blocked);
    payload.Text(set.bits.Serialize());
  }
  payload.Number(hints.cursors.size(), 4);
  for (const Cursor& cursor : hints.cursors) {
    payload.Number(cursor.index, 4);
    payload.Number(cursor.inode, 8);
    payload.Text(cursor.text);
  }
  Writer file;
  file.bytes_ = kMagic;
  file.Number(payload.bytes_.size(), 4);
  file.Number(Checksum(payload.bytes_), 8);
  file.bytes_ += payload.bytes_;
  return std::move(file.bytes_);
}

std::optional<LeaseHints> DecodeHints(std::string_view bytes) {
  if (!bytes.starts_with(kMagic) || bytes.size() < kHeaderBytes) return std::nullopt;
  Reader header(bytes.substr(kMagic.size()));
  const uint64_t size = header.Number(4);
  const uint64_t checksum = header.Number(8);
  const std::string_view payload = bytes.substr(kHeaderBytes, size);  // what follows is older
  if (payload.size() != size || Checksum(payload) != checksum) return std::nullopt;
  try {
    Reader reader(payload);
    LeaseHints hints = ReadPayload(reader);
    if (reader.ok() && IsConsistent(hints)) return hints;
  } catch (const Error&) {  // a bit sequence that does not deserialize: as good as no hints
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace cnm::host_local
