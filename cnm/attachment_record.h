// attachment_record.h: an attachment as part of an endpoint's record, and how records hold
// addresses.
#pragma once

#include <optional>
#include <string_view>

#include "cnm/endpoint.h"
#include "common/json/object.h"
#include "common/json/writer.h"
#include "common/net/mac.h"
#include "common/net/prefix.h"

namespace cnm {

/// Writes the attachment as an object. What is at its default is left out.
void Write(json::Writer& w, const Attachment& attachment);

/// The inverse; the names in its rules are the endpoint's and not stored again (NameRules).
/// @throws Error kDecode
Attachment ReadAttachment(const json::Object& o);

/// Required members. @throws Error kDecode "$.mac: not understood"
net::Prefix GetPrefix(const json::Object& o, std::string_view key);
net::Mac GetMac(const json::Object& o, std::string_view key);
/// nullopt when absent.
std::optional<net::Address> FindAddress(const json::Object& o, std::string_view key);

}  // namespace cnm
