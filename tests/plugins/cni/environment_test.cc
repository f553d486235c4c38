// environment_test.cc: the process environment as a value.
#include "plugins/cni/environment.h"

#include <array>

#include <gtest/gtest.h>

namespace cnm::cni {
namespace {

constexpr std::array<const char*, 6> kEntries = {"A=1", "AB=2", "A=3", "EMPTY=", "odd", nullptr};

TEST(Environment, FindsWholeNamesAndTheFirstOfTwo) {
  const Environment environment(kEntries.data());
  EXPECT_EQ(environment.Get("A"), "1");
  EXPECT_EQ(environment.Get("AB"), "2");
  EXPECT_EQ(environment.Get("EMPTY"), "");
  EXPECT_EQ(environment.Get("ABC"), "");
  EXPECT_EQ(environment.Get("odd"), "");
}

TEST(Environment, ReplacesEveryEntryOfAName) {
  const std::vector<std::string> with = Environment(kEntries.data()).With({"A=9", "NEW=x"});
  EXPECT_EQ(with, (std::vector<std::string>{"AB=2", "EMPTY=", "odd", "A=9", "NEW=x"}));
}

}  // namespace
}  // namespace cnm::cni
