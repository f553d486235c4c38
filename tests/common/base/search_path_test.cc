// search_path_test.cc: finding programs.
#include "common/base/search_path.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace cnm {
namespace {

namespace fs = std::filesystem;

class SearchPath : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "cnm-path-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root_ = name;
    fs::create_directories(root_ / "a/tool");  // a folder of that name is no program
    Make("b/tool", 0644);
    Make("c/tool", 0755);
    Make("c/only", 0644);
    const char* const path = ::getenv("PATH");
    former_ = path != nullptr ? path : "";
  }
  void TearDown() override {
    ::setenv("PATH", former_.c_str(), 1);
    fs::remove_all(root_);
  }
  void Make(const fs::path& file, mode_t mode) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << "x";
    ASSERT_EQ(::chmod((root_ / file).c_str(), mode), 0);
  }
  std::string In(const std::string& folder) const { return root_ / folder; }

  fs::path root_;
  std::string former_;
};

TEST_F(SearchPath, TakesTheFirstRegularFile) {
  const auto found = FindInPath("tool", In("none") + ":" + In("a") + ":" + In("b") + ":" + In("c"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->path, In("b/tool"));
  EXPECT_EQ(found->status.st_size, 1);
}

TEST_F(SearchPath, AnEmptyEntryIsTheCurrentDirectory) {
  const fs::path former = fs::current_path();
  fs::current_path(In("c"));
  const auto last = FindInPath("only", In("b") + ":");
  fs::current_path(former);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->path, "./only");
  EXPECT_FALSE(FindInPath("nobody-has-this", ""));
}

TEST_F(SearchPath, AProgramIsExecutableAndItsEntryIsWhole) {
  ::setenv("PATH", (In("b") + ":" + In("c")).c_str(), 1);
  EXPECT_EQ(FindProgram("tool"), In("c/tool"));
  const fs::path former = fs::current_path();
  fs::current_path(root_);
  ::setenv("PATH", "c::./c", 1);
  EXPECT_EQ(FindProgram("tool"), std::nullopt);
  fs::current_path(former);
}

TEST_F(SearchPath, TheUsualPlacesComeLast) {
  ::unsetenv("PATH");
  EXPECT_TRUE(FindProgram("sh"));
}

}  // namespace
}  // namespace cnm
