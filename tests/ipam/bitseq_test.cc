// bitseq_test.cc: the bit sequence against the seed's serialized form and against a plain vector.
#include "ipam/bitseq.h"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace cnm::ipam {
namespace {

std::string Bytes(const std::vector<uint32_t>& numbers) {
  std::string bytes;
  for (const uint32_t number : numbers) {
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
      bytes.push_back(static_cast<char>((number >> shift) & 0xffU));
    }
  }
  return bytes;
}

Code CodeOf(const std::string& bytes) {
  try {
    BitSequence::Deserialize(bytes);
  } catch (const Error& error) {
    return error.code();
  }
  return Code::kInternal;
}

TEST(BitSequence, StartsClear) {
  const BitSequence sequence(745);
  EXPECT_EQ(sequence.bits(), 745U);
  EXPECT_EQ(sequence.unselected(), 745U);
  EXPECT_EQ(sequence.runs(), 1U);
  EXPECT_FALSE(sequence.IsSet(0));
  EXPECT_FALSE(sequence.IsSet(745));
}

TEST(BitSequence, SerializesAsLibnetworkDid) {
  // Its key-value store held "AAAC6QAAAuiAAAAAAAAAAQAAAAAAAAAX", base64 of these bytes, for 745
  // bits with the first set.
  BitSequence sequence(745);
  sequence.Set(0);
  const std::string bytes = Bytes({745, 744, 0x80000000, 1, 0, 23});
  EXPECT_EQ(sequence.Serialize(), bytes);
  EXPECT_EQ(BitSequence::Deserialize(bytes), sequence);
}

TEST(BitSequence, RoundTripsThirteenRuns) {
  std::vector<uint32_t> numbers{0, 0};
  uint32_t blocks = 0;
  uint32_t clear = 0;
  for (uint32_t i = 0; i < 13; ++i) {
    const uint32_t block = i % 2 == 0 ? UINT32_MAX << i : 0xff000000U | i;
    numbers.insert(numbers.end(), {block, i + 1});
    blocks += i + 1;
    clear += static_cast<uint32_t>(32 - __builtin_popcount(block)) * (i + 1);
  }
  numbers[0] = blocks * 32;
  numbers[1] = clear;
  const BitSequence sequence = BitSequence::Deserialize(Bytes(numbers));
  EXPECT_EQ(sequence.runs(), 13U);
  EXPECT_EQ(sequence.Serialize(), Bytes(numbers));
}

TEST(BitSequence, PutsRightWhatOldReleasesWrote) {
  // A run of length zero, equal neighbours, and an `unselected` that a redundant release had
  // raised.
  const auto sequence = BitSequence::Deserialize(Bytes({128, 200, 0, 1, 7, 0, 0, 2, 1, 1}));
  EXPECT_EQ(sequence.runs(), 2U);
  EXPECT_EQ(sequence.unselected(), 127U);
  EXPECT_TRUE(sequence.IsSet(127));
}

TEST(BitSequence, ClearsWhatLiesBeyondTheLastBit) {
  BitSequence sequence = BitSequence::Deserialize(Bytes({33, 0, UINT32_MAX, 2}));
  EXPECT_EQ(sequence.unselected(), 0U);
  EXPECT_EQ(sequence.Serialize(), Bytes({33, 0, UINT32_MAX, 1, 0x80000000, 1}));
}

TEST(BitSequence, RefusesBytesThatAreNone) {
  EXPECT_EQ(CodeOf(""), Code::kDecode);
  EXPECT_EQ(CodeOf(Bytes({64})), Code::kDecode);
  EXPECT_EQ(CodeOf(Bytes({64, 64, 0})), Code::kDecode);
  EXPECT_EQ(CodeOf(Bytes({64, 64})), Code::kDecode);
  EXPECT_EQ(CodeOf(Bytes({64, 64, 0, 1})), Code::kDecode);
  EXPECT_EQ(CodeOf(Bytes({64, 64, 0, 3})), Code::kDecode);
  EXPECT_EQ(CodeOf(Bytes({64, 64, 0, UINT32_MAX, 0, 3})), Code::kDecode) << "wraps to two blocks";
}

TEST(BitSequence, SetsTheBitItWasAskedFor) {
  // The seed put bit 32 of 128 at 96: a hit in the last but two block of a run went to the run's
  // end.
  for (uint32_t ordinal = 0; ordinal < 128; ++ordinal) {
    BitSequence sequence(128);
    EXPECT_TRUE(sequence.Set(ordinal));
    for (uint32_t i = 0; i < 128; ++i) EXPECT_EQ(sequence.IsSet(i), i == ordinal) << ordinal;
  }
}

TEST(BitSequence, CountsARepeatedSetOrUnsetOnce) {
  BitSequence sequence(64);
  EXPECT_FALSE(sequence.Unset(5));
  EXPECT_EQ(sequence.unselected(), 64U);
  EXPECT_TRUE(sequence.Set(5));
  EXPECT_FALSE(sequence.Set(5));
  EXPECT_EQ(sequence.unselected(), 63U);
}

TEST(BitSequence, ReusesTheLowestFreedBit) {
  BitSequence sequence(40);
  for (uint32_t i = 0; i < 40; ++i) EXPECT_EQ(sequence.SetAny(), i);
  EXPECT_EQ(sequence.SetAny(), std::nullopt);
  sequence.Unset(33);
  sequence.Unset(7);
  EXPECT_EQ(sequence.SetAny(), 7U);
  EXPECT_EQ(sequence.SetAny(), 33U);
}

TEST(BitSequence, WrapsFromTheGivenBit) {
  BitSequence sequence(70);
  EXPECT_EQ(sequence.SetAny(69), 69U);
  EXPECT_EQ(sequence.SetAny(69), 0U);
  sequence.SetRange(32, 63);
  EXPECT_EQ(sequence.SetAny(32), 64U) << "the next block must be looked at, not taken";
}

TEST(BitSequence, LooksIntoTheBlockAfterOneThatIsFullBehindTheStart) {
  BitSequence sequence(96);
  sequence.SetRange(20, 31);
  sequence.Set(32);
  EXPECT_EQ(sequence.SetAnyInRange(25, 95), 33U);
  BitSequence equal(96);  // one run of equal blocks, each full from its bit 16
  for (const uint32_t block : {0U, 32U, 64U}) equal.SetRange(block + 16, block + 31);
  ASSERT_EQ(equal.runs(), 1U);
  EXPECT_EQ(equal.SetAnyInRange(20, 95), 32U);
}

TEST(BitSequence, ExhaustsRangesExactly) {
  BitSequence sequence(30);
  for (const auto& [first, last] : {std::pair(0U, 7U), {8U, 15U}, {28U, 29U}, {20U, 20U}}) {
    for (uint32_t i = first; i <= last; ++i) EXPECT_EQ(sequence.SetAnyInRange(first, last), i);
    EXPECT_EQ(sequence.SetAnyInRange(first, last), std::nullopt);
  }
  EXPECT_THROW(sequence.SetAnyInRange(4, 3), Error);
  EXPECT_THROW(sequence.SetAnyInRange(5, 30), Error);
}

TEST(BitSequence, RefusesOrdinalsBeyondTheEnd) {
  BitSequence sequence(30);
  EXPECT_THROW(sequence.Set(30), Error);
  EXPECT_THROW(sequence.Unset(30), Error);
  EXPECT_THROW(sequence.SetAny(30), Error);
  BitSequence none(0);
  EXPECT_EQ(none.SetAny(), std::nullopt);
  EXPECT_EQ(BitSequence::Deserialize(none.Serialize()), none);
}

TEST(BitSequence, StaysSmallWhenTheRangeIsLarge) {
  BitSequence sequence(UINT32_MAX - 63);
  sequence.SetRange(1U << 20U, 1U << 31U);
  EXPECT_EQ(sequence.unselected(), UINT32_MAX - 63 - (1U << 31U) + (1U << 20U) - 1);
  EXPECT_EQ(sequence.SetAny(1U << 25U), (1U << 31U) + 1);
  EXPECT_LE(sequence.runs(), 5U);
}

TEST(BitSequence, AgreesWithAPlainVector) {
  std::mt19937 random(4711);  // NOLINT(bugprone-random-generator-seed): the same every time
  for (const uint32_t bits : {1U, 31U, 32U, 33U, 64U, 200U, 1000U}) {
    BitSequence sequence(bits);
    std::vector<bool> plain(bits);
    for (int step = 0; step < 3000; ++step) {
      const auto ordinal = static_cast<uint32_t>(random() % bits);
      if (random() % 3 == 0) {
        EXPECT_EQ(sequence.Unset(ordinal), plain[ordinal]);
        plain[ordinal] = false;
      } else if (random() % 2 == 0) {
        EXPECT_EQ(sequence.Set(ordinal), !plain[ordinal]);
        plain[ordinal] = true;
      } else {
        uint32_t expected = ordinal;
        uint32_t tried = 0;
        while (tried < bits && plain[expected]) expected = (expected + 1) % bits, ++tried;
        const auto got = sequence.SetAny(ordinal);
        ASSERT_EQ(got.has_value(), tried < bits);
        if (got) {
          ASSERT_EQ(*got, expected);
          plain[expected] = true;
        }
      }
    }
    uint32_t clear = 0;
    for (uint32_t i = 0; i < bits; ++i) {
      ASSERT_EQ(sequence.IsSet(i), plain[i]);
      if (!plain[i]) ++clear;
    }
    EXPECT_EQ(sequence.unselected(), clear);
    EXPECT_EQ(BitSequence::Deserialize(sequence.Serialize()), sequence);
  }
}

}  // namespace
}  // namespace cnm::ipam
