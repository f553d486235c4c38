// commands.h: dnet's client commands (libnetwork.md §3, §4.1, B.4).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cnm/api/client.h"
#include "cnm/dnet/flags.h"

namespace cnm::dnet {

using Words = std::vector<std::string>;

/// What a command is given: the server, its words behind the command's name, and where to write.
struct Call {
  const api::Client& client;
  std::string program;  ///< argv[0], for texts
  Words words;
  std::string* out;  ///< what goes to stdout
};

/// How many arguments a command takes.
struct Arity {
  size_t least;
  bool exact;
};

/// A command's own words about itself.
struct Usage {
  std::string_view name;       ///< "create"
  std::string_view arguments;  ///< "NETWORK-NAME"
  std::string_view summary;    ///< a sentence
  Arity arity;
};

/// Parses the call's words with --help added. @returns the arguments, or nothing and `helped` set
/// after the help was written
/// @throws Error kEnvironment: what is wrong with the words, and how the command is used
Words ParseCommand(const Call& call, const std::string& group, const Usage& usage, Flags flags,
                   bool& helped);

/// Each runs "dnet GROUP COMMAND ..." (call.words begins with COMMAND). @throws Error
void RunNetwork(const Call& call);
void RunService(const Call& call);
void RunContainer(const Call& call);

/// The first 12 characters of an id, or all of it.
std::string ShownId(const std::string& id, bool whole);

/// SERVICE[.NETWORK], split at the last dot; without one the network is "", the server's default.
struct ServiceName {
  std::string service;
  std::string network;
};
ServiceName SplitServiceName(const std::string& text);

/// "k=v,k=v" as given to --opt; repeated flags add up. @throws Error kEnvironment for no "="
std::map<std::string, std::string> ParseOptions(const std::vector<std::string>& given);

}  // namespace cnm::dnet
