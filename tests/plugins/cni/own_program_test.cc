// own_program_test.cc: recognising the running program.
#include "plugins/cni/own_program.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "tests/plugins/cni/fake_world.h"

namespace cnm::cni {
namespace {

namespace fs = std::filesystem;

bool IsOwn(const std::string& file) {
  struct stat status {};
  EXPECT_EQ(::stat(file.c_str(), &status), 0) << file;
  return IsOwnProgram(file, status);
}

class OwnProgram : public testing::Test {
 protected:
  TemporaryDirectory directory_;
  std::string copy_ = directory_ / "copy";
};

TEST_F(OwnProgram, IsTheSameFileUnderAnyName) {
  fs::create_symlink("/proc/self/exe", copy_);
  EXPECT_TRUE(IsOwn(copy_));
}

TEST_F(OwnProgram, IsACopy) {
  fs::copy_file("/proc/self/exe", copy_);
  EXPECT_TRUE(IsOwn(copy_));
}

TEST_F(OwnProgram, IsNoCopyOfAnotherSize) {
  fs::copy_file("/proc/self/exe", copy_);
  fs::resize_file(copy_, fs::file_size(copy_) + 1);
  EXPECT_FALSE(IsOwn(copy_));
}

TEST_F(OwnProgram, IsNoFileOfTheSameSizeWithoutItsBuildId) {
  std::ofstream(copy_).close();
  fs::resize_file(copy_, fs::file_size("/proc/self/exe"));
  EXPECT_FALSE(IsOwn(copy_));
}

TEST_F(OwnProgram, SurvivesADamagedCopy) {
  fs::copy_file("/proc/self/exe", copy_);
  for (const char damage : {'\0', '\xff'}) {
    std::fstream file(copy_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(16);  // everything of the ELF header behind its magic
    file << std::string(2048, damage);
    file.close();
    EXPECT_FALSE(IsOwn(copy_));
  }
}

}  // namespace
}  // namespace cnm::cni
