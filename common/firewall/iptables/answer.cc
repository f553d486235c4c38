// answer.cc: how cnm-xtables tells its caller about an error.
#include "common/firewall/iptables/answer.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace cnm::firewall::iptables {
namespace {

struct Word {
  Code code;
  std::string_view word;
};

constexpr std::array<Word, 6> kWords = {{{Code::kKernel, "kernel"},
                                         {Code::kInUse, "in-use"},
                                         {Code::kTryAgain, "try-again"},
                                         {Code::kConfig, "config"},
                                         {Code::kDecode, "decode"},
                                         {Code::kIo, "io"}}};

std::string_view TakeLine(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

std::string RenderAnswer(const Error& error) {
  std::string_view word = kWords.front().word;
  for (const Word& known : kWords) {
    if (known.code == error.code()) word = known.word;
  }
  return fmt::format("{}\n{}\n{}\n", word, error.message(), error.details());
}

void ThrowAnswer(std::string_view text) {
  const std::string_view word = TakeLine(text);
  const std::string message(TakeLine(text));
  const std::string details(TakeLine(text));
  Code code = Code::kKernel;
  for (const Word& known : kWords) {
    if (known.word == word) code = known.code;
  }
  throw Error(code, message, details);
}

}  // namespace cnm::firewall::iptables
