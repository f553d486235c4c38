// record_json.h: what the engine's records have in common as JSON.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/json/object.h"
#include "common/json/writer.h"

namespace cnm::engine {

/// Opens the object and writes the schema, and the mark if there is one.
void BeginRecord(json::Writer& w, bool pending);
/// @throws Error kDecode naming `what`; kTryAgain when the schema is newer than ours
json::Object OpenRecord(std::string_view json, std::string_view what, bool& pending);

/// An object of texts; nothing when it is empty.
void WriteTexts(json::Writer& w, std::string_view key,
                const std::map<std::string, std::string>& texts);
std::map<std::string, std::string> ReadTexts(const json::Object& o, std::string_view key);

}  // namespace cnm::engine
