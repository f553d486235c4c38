// bitseq_fuzz.cc: the bit sequence under random operations against a plain vector, and under random
// bytes.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "ipam/bitseq.h"

namespace {

using cnm::ipam::BitSequence;

void Require(bool condition) {
  if (!condition) std::abort();
}

class Machine {
 public:
  explicit Machine(uint32_t bits) : sequence_(bits), plain_(bits) {}

  void Step(uint8_t operation, uint32_t a, uint32_t b) {
    const auto bits = static_cast<uint32_t>(plain_.size());
    a %= bits;
    b %= bits;
    switch (operation % 5) {
      case 0:
        Require(sequence_.Set(a) == !plain_[a]);
        plain_[a] = true;
        break;
      case 1:
        Require(sequence_.Unset(a) == plain_[a]);
        plain_[a] = false;
        break;
      case 2:
        if (a > b) std::swap(a, b);
        sequence_.SetRange(a, b);
        for (uint32_t i = a; i <= b; ++i) plain_[i] = true;
        break;
      case 3: {
        if (a > b) std::swap(a, b);
        const auto expected = FirstClear(a, b);
        Require(sequence_.SetAnyInRange(a, b) == expected);
        if (expected) plain_[*expected] = true;
        break;
      }
      default: {
        auto expected = FirstClear(a, bits - 1);
        if (!expected && a > 0) expected = FirstClear(0, a - 1);
        Require(sequence_.SetAny(a) == expected);
        if (expected) plain_[*expected] = true;
      }
    }
  }

  void Compare() const {
    uint32_t clear = 0;
    for (uint32_t i = 0; i < plain_.size(); ++i) {
      Require(sequence_.IsSet(i) == plain_[i]);
      clear += plain_[i] ? 0 : 1;
    }
    Require(sequence_.unselected() == clear);
    Require(BitSequence::Deserialize(sequence_.Serialize()) == sequence_);
  }

 private:
  std::optional<uint32_t> FirstClear(uint32_t first, uint32_t last) const {
    for (uint32_t i = first; i <= last; ++i) {
      if (!plain_[i]) return i;
    }
    return std::nullopt;
  }

  BitSequence sequence_;
  std::vector<bool> plain_;
};

void RunOperations(std::string_view bytes) {
  if (bytes.size() < 2) return;
  const auto at = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  Machine machine((at(0) * 256U + at(1)) % 2000 + 1);
  for (size_t i = 2; i + 5 <= bytes.size(); i += 5) {
    machine.Step(at(i), at(i + 1) * 256U + at(i + 2), at(i + 3) * 256U + at(i + 4));
  }
  machine.Compare();
}

void RunBytes(std::string_view bytes) {
  try {
    BitSequence sequence = BitSequence::Deserialize(bytes);
    Require(BitSequence::Deserialize(sequence.Serialize()) == sequence);
    const auto taken = sequence.SetAny();
    Require(!taken || sequence.IsSet(*taken));
  } catch (const cnm::Error&) {  // refusing is right
    return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are bytes
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.empty()) return 0;
  const bool operations = (bytes.front() & 1) != 0;
  bytes.remove_prefix(1);
  operations ? RunOperations(bytes) : RunBytes(bytes);
  return 0;
}
