// bitseq.cc: a run-length-encoded bit sequence.
#include "ipam/bitseq.h"

#include <algorithm>
#include <array>
#include <bit>

#include <fmt/format.h>

#include "common/base/error.h"

namespace cnm::ipam {
namespace {

constexpr uint32_t kBlockBits = 32;
constexpr uint32_t kFull = UINT32_MAX;

uint32_t BlockCount(uint32_t bits) {
  return bits / kBlockBits + (bits % kBlockBits != 0 ? 1 : 0);
}

/// The block's bits at offset `first`..`last` (0 = most significant).
uint32_t Mask(uint32_t first, uint32_t last) {
  return (kFull >> first) & (kFull << (kBlockBits - 1 - last));
}

void AppendNumber(std::string& out, uint32_t value) {
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    out.push_back(static_cast<char>((value >> shift) & 0xffU));
  }
}

uint32_t NumberAt(std::string_view bytes, size_t offset) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8U | static_cast<uint8_t>(bytes[offset + i]);
  return value;
}

}  // namespace

BitSequence::BitSequence(uint32_t bits) : bits_(bits), unselected_(bits) {
  if (bits > 0) runs_.push_back({0, BlockCount(bits)});
}

std::optional<uint32_t> BitSequence::SetAny(uint32_t from) {
  if (unselected_ == 0) return std::nullopt;
  CheckOrdinal(from);
  std::optional<uint32_t> found = FindClear(from, bits_ - 1);
  if (!found && from > 0) found = FindClear(0, from - 1);
  if (found) Set(*found);
  return found;
}

std::optional<uint32_t> BitSequence::SetAnyInRange(uint32_t first, uint32_t last) {
  CheckRange(first, last);
  const std::optional<uint32_t> found = FindClear(first, last);
  if (found) Set(*found);
  return found;
}

bool BitSequence::Set(uint32_t ordinal) {
  CheckOrdinal(ordinal);
  const uint32_t bit = Mask(ordinal % kBlockBits, ordinal % kBlockBits);
  const uint32_t index = ordinal / kBlockBits;
  const uint32_t block = BlockOf(ordinal);
  if ((block & bit) != 0) return false;
  ReplaceBlocks(index, index, block | bit);
  --unselected_;
  return true;
}

bool BitSequence::Unset(uint32_t ordinal) {
  CheckOrdinal(ordinal);
  const uint32_t bit = Mask(ordinal % kBlockBits, ordinal % kBlockBits);
  const uint32_t index = ordinal / kBlockBits;
  const uint32_t block = BlockOf(ordinal);
  if ((block & bit) == 0) return false;
  ReplaceBlocks(index, index, block & ~bit);
  ++unselected_;
  return true;
}

void BitSequence::SetRange(uint32_t first, uint32_t last) {
  CheckRange(first, last);
  const uint32_t first_block = first / kBlockBits;
  const uint32_t last_block = last / kBlockBits;
  if (first_block == last_block) {
    const uint32_t mask = Mask(first % kBlockBits, last % kBlockBits);
    ReplaceBlocks(first_block, first_block, BlockOf(first) | mask);
  } else {
    const uint32_t head = BlockOf(first) | Mask(first % kBlockBits, kBlockBits - 1);
    const uint32_t tail = BlockOf(last) | Mask(0, last % kBlockBits);
    if (last_block - first_block > 1) ReplaceBlocks(first_block + 1, last_block - 1, kFull);
    ReplaceBlocks(first_block, first_block, head);
    ReplaceBlocks(last_block, last_block, tail);
  }
  Count();
}

bool BitSequence::IsSet(uint32_t ordinal) const {
  if (ordinal >= bits_) return false;
  return (BlockOf(ordinal) & Mask(ordinal % kBlockBits, ordinal % kBlockBits)) != 0;
}

std::string BitSequence::Serialize() const {
  std::string bytes;
  bytes.reserve(8 + runs_.size() * 8);
  AppendNumber(bytes, bits_);
  AppendNumber(bytes, unselected_);
  for (const Run& run : runs_) {
    AppendNumber(bytes, run.block);
    AppendNumber(bytes, run.count);
  }
  return bytes;
}

BitSequence BitSequence::Deserialize(std::string_view bytes) {
  if (bytes.size() < 8 || bytes.size() % 8 != 0) {
    throw Error(Code::kDecode,
                fmt::format("cannot deserialize byte sequence of length {}", bytes.size()));
  }
  BitSequence sequence;
  sequence.bits_ = NumberAt(bytes, 0);
  uint64_t blocks = 0;
  for (size_t at = 8; at < bytes.size(); at += 8) {
    const Run run{NumberAt(bytes, at), NumberAt(bytes, at + 4)};
    blocks += run.count;
    if (run.count == 0) continue;
    if (!sequence.runs_.empty() && sequence.runs_.back().block == run.block) {
      // The sum is checked below, before a wrapped count could be used.
      sequence.runs_.back().count += run.count;
    } else {
      sequence.runs_.push_back(run);
    }
  }
  if (blocks != BlockCount(sequence.bits_)) {
    throw Error(Code::kDecode, fmt::format("bit sequence of {} bits: {} blocks instead of {}",
                                           sequence.bits_, blocks, BlockCount(sequence.bits_)));
  }
  if (sequence.bits_ % kBlockBits != 0) {  // what lies beyond the last bit is not ours to keep
    const uint32_t last = sequence.bits_ - 1;
    const uint32_t kept = sequence.BlockOf(last) & Mask(0, last % kBlockBits);
    sequence.ReplaceBlocks(last / kBlockBits, last / kBlockBits, kept);
  }
  sequence.Count();
  return sequence;
}

/// The first clear bit in first..last.
std::optional<uint32_t> BitSequence::FindClear(uint32_t first, uint32_t last) const {
  uint32_t start = 0;  // the run's first block
  for (const Run& run : runs_) {
    const uint32_t end = start + run.count;
    const uint32_t first_block = std::max(start, first / kBlockBits);
    if (run.block != kFull && first_block < end) {
      const uint32_t before = first_block == first / kBlockBits ? first % kBlockBits : 0;
      const uint32_t ignored = before == 0 ? 0 : Mask(0, before - 1);
      auto bit = static_cast<uint32_t>(std::countl_one(run.block | ignored));
      uint32_t block = first_block;
      if (bit == kBlockBits && block + 1 < end) {  // only behind `first` is this one full
        bit = static_cast<uint32_t>(std::countl_one(run.block));
        ++block;
      }
      if (bit < kBlockBits) {
        const uint32_t ordinal = block * kBlockBits + bit;
        return ordinal <= last ? std::optional(ordinal) : std::nullopt;
      }
    }
    start = end;
  }
  return std::nullopt;
}

/// The block that holds a valid ordinal.
uint32_t BitSequence::BlockOf(uint32_t ordinal) const {
  uint32_t blocks_left = ordinal / kBlockBits;
  for (const Run& run : runs_) {
    if (blocks_left < run.count) return run.block;
    blocks_left -= run.count;
  }
  throw Error(Code::kInternal, "bit sequence: runs do not cover the bits");
}

/// Makes blocks first..last equal to `block`, and merges equal neighbours.
void BitSequence::ReplaceBlocks(uint32_t first, uint32_t last, uint32_t block) {
  size_t from = 0;
  uint32_t from_start = 0;
  while (first - from_start >= runs_[from].count) from_start += runs_[from++].count;
  size_t to = from;
  uint32_t to_start = from_start;
  while (last - to_start >= runs_[to].count) to_start += runs_[to++].count;

  std::array<Run, 5> pieces;  // NOLINT(cppcoreguidelines-pro-type-member-init): count says how many
  size_t count = 0;
  const auto append = [&](Run run) {
    if (run.count == 0) return;
    if (count > 0 && pieces[count - 1].block == run.block) {
      pieces[count - 1].count += run.count;
    } else {
      pieces[count++] = run;
    }
  };
  const size_t begin = from > 0 ? from - 1 : 0;
  const size_t end = std::min(to + 2, runs_.size());
  if (begin < from) append(runs_[begin]);
  append({runs_[from].block, first - from_start});
  append({block, last - first + 1});
  append({runs_[to].block, to_start + runs_[to].count - last - 1});
  if (to + 1 < end) append(runs_[to + 1]);

  const size_t shared = std::min(count, end - begin);
  const auto at = runs_.begin() + static_cast<std::ptrdiff_t>(begin);
  std::copy_n(pieces.begin(), shared, at);
  const auto rest = at + static_cast<std::ptrdiff_t>(shared);
  if (count > shared) {
    runs_.insert(rest, pieces.begin() + static_cast<std::ptrdiff_t>(shared),
                 pieces.begin() + static_cast<std::ptrdiff_t>(count));
  } else {
    runs_.erase(rest, runs_.begin() + static_cast<std::ptrdiff_t>(end));
  }
}

void BitSequence::CheckOrdinal(uint32_t ordinal) const {
  if (ordinal >= bits_) throw Error(Code::kConfig, "bit does not belong to the sequence");
}

void BitSequence::CheckRange(uint32_t first, uint32_t last) const {
  if (first > last || last >= bits_) {
    throw Error(Code::kConfig, fmt::format("invalid bit range [{}, {}]", first, last));
  }
}

/// Counts the clear bits anew.
void BitSequence::Count() {
  uint64_t set = 0;
  for (const Run& run : runs_) {
    set += uint64_t{run.count} * static_cast<uint32_t>(std::popcount(run.block));
  }
  unselected_ = bits_ - static_cast<uint32_t>(set);
}

}  // namespace cnm::ipam
