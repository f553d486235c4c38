// examples_test.cc: every conflist in conf/ is one that a runtime would load and our plugins know.
#include <algorithm>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "common/base/atomic_file.h"
#include "common/json/object.h"
#include "plugins/cni/names.h"
#include "plugins/cni/version.h"

namespace cnm::cni {
namespace {

namespace fs = std::filesystem;

const fs::path kSource = CNM_SOURCE_DIR;

std::string Text(const json::Object& object, std::string_view key) {
  std::string text;
  object.Required(key, text);
  return text;
}

TEST(Examples, AreListsOfPluginsOfOurs) {
  size_t count = 0;
  for (const fs::directory_entry& file : fs::directory_iterator(kSource / "conf")) {
    if (file.path().extension() != ".conflist") continue;
    SCOPED_TRACE(file.path());
    ++count;
    const json::Object list = json::Parse(ReadFile(file.path()).value(), file.path().string());
    EXPECT_TRUE(IsContainerId(Text(list, "name")));
    EXPECT_EQ(std::count(kVersions.begin(), kVersions.end(), Text(list, "cniVersion")), 1);
    EXPECT_FALSE(list.Objects("plugins").empty());
    for (const json::Object& plugin : list.Objects("plugins")) {
      const std::string type = Text(plugin, "type");
      EXPECT_TRUE(fs::is_directory(kSource / "plugins/main" / type) ||
                  fs::is_directory(kSource / "plugins/meta" / type))
          << type;
      const std::optional<json::Object> ipam = plugin.OptionalObject("ipam");
      if (!ipam) continue;
      EXPECT_TRUE(fs::is_directory(kSource / "plugins/ipam" / Text(*ipam, "type")));
    }
  }
  EXPECT_GE(count, 4U);
}

}  // namespace
}  // namespace cnm::cni
