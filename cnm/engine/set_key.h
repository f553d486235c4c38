// set_key.h: how a container runtime's hook brings a sandbox its namespace: a socket of the daemon,
// and the program that speaks to it (libnetwork.md §31).
//
// The exchange: {"ContainerID":"...","Key":"/proc/123/ns/net"}, answered by "success" or by the
// error's text.
#pragma once

#include <string>
#include <thread>
#include <vector>

#include "cnm/engine/engine.h"
#include "common/base/fd.h"

namespace cnm::engine {

/// The argv[0] under which a program is the hook.
inline constexpr char kSetKeyProgram[] = "libnetwork-setkey";

/// "/run/cnm/<controller id>.sock"
std::string SetKeyPath(const std::string& runtime_directory, const std::string& controller_id);

/// Listens on SetKeyPath of the engine's runtime directory, mode 0600, on a thread of its own,
/// while it lives. One exchange at a time; a client that says nothing for 5 s is sent away.
class SetKeyListener {
 public:
  /// `engine` outlives it. What a killed daemon left at the path is replaced.
  /// @throws Error kIo "listen on PATH: reason"
  explicit SetKeyListener(Engine& engine);
  ~SetKeyListener();
  SetKeyListener(const SetKeyListener&) = delete;
  SetKeyListener& operator=(const SetKeyListener&) = delete;

 private:
  void Serve();
  void Answer(int client);

  Engine& engine_;
  std::string path_;
  Fd listener_;
  Fd stop_;  ///< an eventfd
  std::thread thread_;
};

/// The hook: arguments are container id and controller id, before them optionally
/// "-exec-root=DIRECTORY" for another runtime directory than /run/cnm. `state` is the text on
/// standard input: libcontainer's state with "namespace_paths": {"NEWNET": PATH}.
/// @throws Error kEnvironment for wrong arguments; kDecode, kConfig for such a state; kUnavailable
/// with the daemon's answer
void RunSetKey(const std::vector<std::string>& arguments, const std::string& state);

}  // namespace cnm::engine
