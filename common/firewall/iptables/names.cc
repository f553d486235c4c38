// names.cc: the reference plugins' chain names and comments.
#include "common/firewall/iptables/names.h"

#include <fmt/format.h>

#include "common/base/digest.h"

namespace cnm::firewall::iptables {
namespace {

constexpr size_t kChainName = 28;     // XT_EXTENSION_MAXNAMELEN - 1
constexpr size_t kCommentName = 255;  // XT_MAX_COMMENT_LEN - 1

/// As Go's %q for the characters that names may have.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

/// Takes a quoted word from the left of the text. @returns nullopt when there is none
std::optional<std::string> TakeQuoted(std::string_view& text) {
  if (!text.starts_with('"')) return {};
  std::string word;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return word;
    }
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    word += text[i];
  }
  return {};
}

bool TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

std::string ChainOf(const Subject& subject, std::string_view kind) {
  std::string name = fmt::format("CNI-{}", kind);
  return name + Sha512Hex(subject.network + subject.container_id, kChainName - name.size());
}

std::string CommentOf(const Subject& subject) {
  return fmt::format("name: {} id: {}", Quoted(subject.network), Quoted(subject.container_id));
}

std::string PortCommentOf(const Subject& subject) {
  std::string comment = "dnat " + CommentOf(subject);
  if (comment.size() <= kCommentName) return comment;
  comment.resize(kCommentName - 2);
  return comment + "...";
}

std::optional<Subject> SubjectOf(std::string_view comment) {
  TakePrefix(comment, "dnat ");
  if (!TakePrefix(comment, "name: ")) return {};
  std::optional<std::string> network = TakeQuoted(comment);
  if (!network || !TakePrefix(comment, " id: ")) return {};
  std::optional<std::string> container_id = TakeQuoted(comment);
  if (!container_id) return {};
  return Subject{*std::move(network), *std::move(container_id)};
}

}  // namespace cnm::firewall::iptables
