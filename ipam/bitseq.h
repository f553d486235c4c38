// bitseq.h: a run-length-encoded bit sequence, the map of which ordinals of a pool are taken.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cnm::ipam {

/// `bits` bits, all clear at first, kept as runs of equal 32-bit blocks. Bit 0 is the most
/// significant bit of the first block. Every operation costs O(runs), so a full /8 with one hole is
/// as cheap as an empty /24. The serialized form is that of libnetwork's bitseq.
class BitSequence {
 public:
  /// @param bits how many; 0 is an empty sequence
  explicit BitSequence(uint32_t bits = 0);

  uint32_t bits() const { return bits_; }
  /// How many bits are clear.
  uint32_t unselected() const { return unselected_; }
  /// How many runs there are: the cost of an operation.
  size_t runs() const { return runs_.size(); }

  /// Sets the first clear bit at or after `from`, wrapping at the end. @returns its ordinal;
  /// nullopt when all are set
  /// @throws Error kConfig "bit does not belong to the sequence" when `from` is beyond the last
  std::optional<uint32_t> SetAny(uint32_t from = 0);
  /// The same within first..last inclusive, without wrapping; first == last is a range of one bit.
  /// @throws Error kConfig "invalid bit range [FIRST, LAST]"
  std::optional<uint32_t> SetAnyInRange(uint32_t first, uint32_t last);

  /// @returns false when the bit was set already. @throws Error kConfig "bit does not belong to the
  /// sequence"
  bool Set(uint32_t ordinal);
  /// @returns false when the bit was clear already. @throws as Set
  bool Unset(uint32_t ordinal);
  /// Sets all of first..last inclusive, whatever they were. @throws as SetAnyInRange
  void SetRange(uint32_t first, uint32_t last);
  /// False beyond the last bit.
  bool IsSet(uint32_t ordinal) const;

  /// bits, unselected, then (block, count) of each run: 32-bit numbers in network order.
  std::string Serialize() const;
  /// Reads Serialize's form, and what libnetwork wrote: runs of length zero and a wrong
  /// `unselected` (its releases of 2015 made both) are put right. @throws Error kDecode when the
  /// length is wrong or the runs do not cover the bits exactly
  static BitSequence Deserialize(std::string_view bytes);

  bool operator==(const BitSequence&) const = default;

 private:
  struct Run {
    uint32_t block;
    uint32_t count;
    bool operator==(const Run&) const = default;
  };
  std::optional<uint32_t> FindClear(uint32_t first, uint32_t last) const;
  uint32_t BlockOf(uint32_t ordinal) const;
  void ReplaceBlocks(uint32_t first, uint32_t last, uint32_t block);
  void CheckOrdinal(uint32_t ordinal) const;
  void CheckRange(uint32_t first, uint32_t last) const;
  void Count();

  uint32_t bits_;
  uint32_t unselected_;
  std::vector<Run> runs_;
};

}  // namespace cnm::ipam
