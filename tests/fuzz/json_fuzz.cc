// json_fuzz.cc: the decoder and the writer on arbitrary bytes: what parses must survive a round
// trip, all else must be an Error.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/json/object.h"
#include "common/json/writer.h"

namespace {

using cnm::Error;
using cnm::json::Object;
using cnm::json::Value;

void Require(bool condition) {
  if (!condition) std::abort();
}

/// Runs a reader that may refuse the value, but only with an Error that says where.
template <class Read>
void Try(Read read) {
  try {
    read();
  } catch (const Error& e) {
    Require(e.message().starts_with("$"));
  }
}

void ReadEveryWay(const Object& object) {
  for (const std::string& key : object.Keys()) {
    std::string text;
    bool flag = false;
    int64_t number = 0;
    uint32_t small = 0;
    uint64_t large = 0;
    std::vector<std::string> list;
    Try([&] { object.Optional(key, text); });
    Try([&] { object.Optional(key, flag); });
    Try([&] { object.Optional(key, number, {-5, 5}); });
    Try([&] { object.Optional(key, small); });
    Try([&] { object.Optional(key, large); });
    Try([&] { object.Optional(key, list); });
    Try([&] { object.OptionalObject(key); });
    Try([&] {
      for (const Object& child : object.Objects(key)) Require(!child.path().empty());
    });
  }
  Require(object.Warnings().size() <= 17);
}

/// Text() is a fixed point, and laying it out in another style loses nothing.
void RoundTrip(const Object& object) {
  const std::string text = object.Text();
  Require(cnm::json::Parse(text, "again").Text() == text);
  cnm::json::Writer writer(cnm::json::Style::kIndented);
  Require(cnm::json::Parse(writer.Raw(text).Take(), "indented").Text() == text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const Object object = cnm::json::Parse(text, "input");
    object.Has("name");
    Require(object.Warnings().size() <= 17);
    ReadEveryWay(object);
    RoundTrip(object);
  } catch (const Error& e) {
    Require(e.code() == cnm::Code::kDecode && e.message().starts_with("input: "));
  }
  Require(cnm::json::Parse(cnm::json::Writer().BeginObject().Member("k", text).EndObject().Take(),
                           "written")
              .Has("k"));
  return 0;
}
