// valid_attachments_test.cc: which attachments a GC must keep.
#include "plugins/cni/valid_attachments.h"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/plugins/cni/thrown.h"

namespace cnm::cni {
namespace {

std::optional<std::vector<Attachment>> Decode(const std::string& text) {
  return DecodeValidAttachments(json::Parse(text, "test"));
}

TEST(ValidAttachments, TellsAbsentFromEmpty) {
  EXPECT_EQ(Decode("{}"), std::nullopt);
  EXPECT_EQ(Decode(R"({"cni.dev/valid-attachments":null})"), std::nullopt);
  EXPECT_EQ(Decode(R"({"cni.dev/valid-attachments":[]})"), std::vector<Attachment>{});
}

TEST(ValidAttachments, AreSorted) {
  EXPECT_EQ(Decode(R"({"cni.dev/valid-attachments":[
      {"containerID":"b","ifname":"eth0"},{"containerID":"a","ifname":"eth1"},
      {"containerID":"a","ifname":"eth0"}]})"),
            (std::vector<Attachment>{{"a", "eth0"}, {"a", "eth1"}, {"b", "eth0"}}));
}

TEST(ValidAttachments, AreAlsoTakenFromTheEarlyKey) {
  EXPECT_EQ(Decode(R"({"cni.dev/attachments":[{"containerID":"a","ifname":"e"}]})"),
            (std::vector<Attachment>{{"a", "e"}}));
  EXPECT_EQ(Decode(R"({"cni.dev/attachments":[{"containerID":"a","ifname":"e"}],
                       "cni.dev/valid-attachments":[]})"),
            std::vector<Attachment>{});
}

TEST(ValidAttachments, RefuseAListInDoubt) {
  for (const char* list :
       {R"([{"containerID":"a"}])", R"([{"ifname":"e"}])", R"([{"containerID":"","ifname":"e"}])",
        R"([{"containerID":"a","ifname":""}])"}) {
    const std::string refusal =
        Thrown([&] { Decode(fmt::format(R"({{"cni.dev/valid-attachments":{}}})", list)); });
    EXPECT_EQ(refusal.substr(0, 2), "7 ") << list;
  }
  for (const char* list :
       {R"("all")", R"(["a"])", R"({})", R"([{"containerID":1,"ifname":"e"}])"}) {
    const std::string refusal =
        Thrown([&] { Decode(fmt::format(R"({{"cni.dev/valid-attachments":{}}})", list)); });
    EXPECT_EQ(refusal.substr(0, 2), "6 ") << list;
  }
}

}  // namespace
}  // namespace cnm::cni
