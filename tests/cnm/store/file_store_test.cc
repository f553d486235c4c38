// file_store_test.cc: versioned documents in files.
#include "cnm/store/file_store.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "cnm/journal.h"

namespace cnm {
namespace {

std::string MakeTemporaryDirectory() {
  std::string name = testing::TempDir() + "cnm-store-XXXXXX";
  return ::mkdtemp(name.data());
}

class FileStoreTest : public testing::Test {
 protected:
  ~FileStoreTest() override { std::filesystem::remove_all(directory_); }

  std::string directory_ = MakeTemporaryDirectory();
  FileStore store_{directory_ + "/state", Durability::kVolatile};
};

TEST_F(FileStoreTest, FindsNothingInAnAbsentDirectory) {
  EXPECT_FALSE(store_.Get("networks/blue"));
  EXPECT_TRUE(store_.List("networks").empty());
  EXPECT_FALSE(store_.Delete("networks/blue", kAnyVersion));
}

TEST_F(FileStoreTest, PutsOnlyOverTheExpectedVersion) {
  const auto first = store_.Put("networks/blue", "{}", kAbsent);
  ASSERT_TRUE(first);
  EXPECT_FALSE(store_.Put("networks/blue", "{}", kAbsent)) << "it exists";
  const auto second = store_.Put("networks/blue", R"({"a":1})", *first);
  ASSERT_TRUE(second);
  EXPECT_FALSE(store_.Put("networks/blue", "{}", *first)) << "a stale version";
  EXPECT_FALSE(store_.Delete("networks/blue", *first));
  EXPECT_EQ(store_.Get("networks/blue")->json, R"({"a":1})");
  EXPECT_TRUE(store_.Delete("networks/blue", *second));
  EXPECT_FALSE(store_.Get("networks/blue"));
}

TEST_F(FileStoreTest, NamesOfAnyBytesStayInsideTheDirectory) {
  for (const std::string name : {"../../etc/passwd", "..", ".hidden", "a/b", "a%2Fb", "ä", " "}) {
    ASSERT_TRUE(store_.Put("networks/" + name, "{}", kAbsent)) << name;
  }
  EXPECT_EQ(store_.List("networks").size(), 7U);
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/etc"));
  EXPECT_TRUE(store_.Get("networks/../../etc/passwd"));
}

TEST_F(FileStoreTest, ListsByNameAndSkipsWhatIsNoDocument) {
  store_.Put("networks/b", "{}", kAbsent);
  store_.Put("networks/a", "{}", kAbsent);
  std::ofstream(directory_ + "/state/networks/.tmp-c.json") << "{";
  std::ofstream(directory_ + "/state/networks/notes.txt") << "x";
  const auto documents = store_.List("networks");
  ASSERT_EQ(documents.size(), 2U);
  EXPECT_EQ(documents[0].key, "networks/a");
  EXPECT_EQ(documents[1].key, "networks/b");
}

/// One writer process: adds 50 to the document by compare-and-swap.
[[noreturn]] void IncrementFiftyTimes(const std::string& directory) {
  FileStore store(directory, Durability::kVolatile);
  for (int done = 0; done < 50;) {
    const auto document = store.Get("pools/p");
    if (!document) ::_exit(1);
    const std::string next = std::to_string(std::stoi(document->json) + 1);
    if (store.Put("pools/p", next, document->version)) ++done;
  }
  ::_exit(0);
}

TEST_F(FileStoreTest, CountsEveryIncrementOfManyWriters) {
  store_.Put("pools/p", "0", kAbsent);
  std::vector<pid_t> writers;
  for (int i = 0; i < 4; ++i) {
    const pid_t pid = ::fork();
    if (pid == 0) IncrementFiftyTimes(directory_ + "/state");
    writers.push_back(pid);
  }
  for (const pid_t writer : writers) {
    int status = 1;
    ::waitpid(writer, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(store_.Get("pools/p")->json, "200");
}

TEST_F(FileStoreTest, AnUnreadableRecordIsPutAsideAndCountsAsAbsent) {
  store_.Put("endpoints/0123456789abcdef", "{\"schema\":1,", kAbsent);
  Journal journal(store_);
  EXPECT_FALSE(journal.FindEndpoint("0123456789abcdef"));
  EXPECT_TRUE(
      std::filesystem::exists(directory_ + "/state/quarantine/endpoints%2F0123456789abcdef.json"));
  EXPECT_FALSE(store_.Get("endpoints/0123456789abcdef"));
}

TEST_F(FileStoreTest, ARecordOfANewerSchemaStaysInPlace) {
  store_.Put("endpoints/0123456789abcdef", R"({"schema":99})", kAbsent);
  Journal journal(store_);
  EXPECT_ANY_THROW(journal.FindEndpoint("0123456789abcdef"));
  EXPECT_TRUE(store_.Get("endpoints/0123456789abcdef"));
}

}  // namespace
}  // namespace cnm
