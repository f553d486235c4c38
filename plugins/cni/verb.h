// verb.h: the operations of the CNI protocol.
#pragma once

#include <string_view>

namespace cnm::cni {

/// CNI_COMMAND.
enum class Verb { kAdd, kDel, kCheck, kGc, kStatus, kVersion, kUnknown };

/// "ADD"; of kUnknown "".
constexpr std::string_view VerbName(Verb verb) {
  switch (verb) {
    case Verb::kAdd:
      return "ADD";
    case Verb::kDel:
      return "DEL";
    case Verb::kCheck:
      return "CHECK";
    case Verb::kGc:
      return "GC";
    case Verb::kStatus:
      return "STATUS";
    case Verb::kVersion:
      return "VERSION";
    case Verb::kUnknown:
      break;
  }
  return "";
}

/// kUnknown for anything else; names are case-sensitive.
constexpr Verb ParseVerb(std::string_view name) {
  for (const Verb verb :
       {Verb::kAdd, Verb::kDel, Verb::kCheck, Verb::kGc, Verb::kStatus, Verb::kVersion}) {
    if (name == VerbName(verb)) return verb;
  }
  return Verb::kUnknown;
}

}  // namespace cnm::cni
