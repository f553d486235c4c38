// main.cc: cnm-firewalld, the one program that speaks D-Bus: sources of firewalld's zones.
//
//   cnm-firewalld running             exit status 0 if firewalld is on the system bus, else 3
//   cnm-firewalld add|remove|query    stdin: lines "ZONE SOURCE"; query prints those that are there
//
// Interface: firewalld.dbus(5), org.fedoraproject.FirewallD1.zone. The bus is the system's, or the
// one that DBUS_SYSTEM_BUS_ADDRESS names.
#include <dbus/dbus.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/rollback.h"
#include "common/firewall/firewalld/exit_status.h"

namespace cnm::firewall::firewalld {
namespace {

constexpr const char* kService = "org.fedoraproject.FirewallD1";
constexpr const char* kPath = "/org/fedoraproject/FirewallD1";
constexpr const char* kZone = "org.fedoraproject.FirewallD1.zone";
/// It answers nothing else while it reloads.
constexpr int kAnswerMilliseconds = 15'000;
constexpr size_t kLargestInput = size_t{16} << 20;

struct CloseConnection {
  void operator()(DBusConnection* connection) const noexcept {
    ::dbus_connection_close(connection);
    ::dbus_connection_unref(connection);
  }
};
using Connection = std::unique_ptr<DBusConnection, CloseConnection>;

struct Unref {
  void operator()(DBusMessage* message) const noexcept { ::dbus_message_unref(message); }
};
using Message = std::unique_ptr<DBusMessage, Unref>;

/// What the library says went wrong.
class Failure {
 public:
  Failure() { ::dbus_error_init(&error_); }
  Failure(const Failure&) = delete;
  Failure& operator=(const Failure&) = delete;
  ~Failure() { ::dbus_error_free(&error_); }

  DBusError* get() { return &error_; }
  std::string name() const { return error_.name != nullptr ? error_.name : ""; }
  std::string text() const { return error_.message != nullptr ? error_.message : ""; }
  /// firewalld's own errors are told apart by the first word of their text.
  bool Says(std::string_view word) const { return text().starts_with(word); }
  bool MeansAbsence() const {
    return name() == DBUS_ERROR_SERVICE_UNKNOWN || name() == DBUS_ERROR_NAME_HAS_NO_OWNER ||
           name() == DBUS_ERROR_FILE_NOT_FOUND || name() == DBUS_ERROR_NO_SERVER;
  }

 private:
  DBusError error_{};
};

Error NotRunning() {
  return {Code::kNotFound, "firewalld is not running"};
}

struct Source {
  std::string zone;
  std::string address;
};

Connection Connect() {
  Failure failure;
  Connection connection(::dbus_bus_get_private(DBUS_BUS_SYSTEM, failure.get()));
  if (connection == nullptr) {
    if (failure.MeansAbsence()) throw NotRunning();
    throw Error(Code::kUnavailable, fmt::format("connect to the system bus: {}", failure.text()));
  }
  ::dbus_connection_set_exit_on_disconnect(connection.get(), FALSE);
  return connection;
}

/// Calls a method of the zone interface. @returns the answer; nullptr with `failure` set
Message Call(const Connection& connection, const char* method, const Source& source,
             Failure& failure) {
  const Message message(::dbus_message_new_method_call(kService, kPath, kZone, method));
  if (message == nullptr) throw std::bad_alloc();
  ::dbus_message_set_auto_start(message.get(), FALSE);
  const char* zone = source.zone.c_str();
  const char* address = source.address.c_str();
  if (::dbus_message_append_args(message.get(), DBUS_TYPE_STRING, &zone, DBUS_TYPE_STRING, &address,
                                 DBUS_TYPE_INVALID) == FALSE) {
    throw std::bad_alloc();
  }
  Message answer(::dbus_connection_send_with_reply_and_block(connection.get(), message.get(),
                                                             kAnswerMilliseconds, failure.get()));
  if (answer == nullptr && failure.MeansAbsence()) throw NotRunning();
  return answer;
}

/// @returns false if it was there
bool AddSource(const Connection& connection, const Source& source) {
  Failure failure;
  if (Call(connection, "addSource", source, failure) != nullptr) return true;
  if (failure.Says("ZONE_ALREADY_SET")) return false;
  throw Error(Code::kUnavailable, fmt::format("failed to add the address {} to {} zone: {}",
                                              source.address, source.zone, failure.text()));
}

/// One that is in another zone is somebody else's.
void RemoveSource(const Connection& connection, const Source& source) {
  Failure failure;
  if (Call(connection, "removeSource", source, failure) != nullptr) return;
  for (const std::string_view absent : {"UNKNOWN_SOURCE", "ZONE_CONFLICT", "INVALID_ZONE"}) {
    if (failure.Says(absent)) return;
  }
  throw Error(Code::kUnavailable, fmt::format("failed to remove the address {} from {} zone: {}",
                                              source.address, source.zone, failure.text()));
}

bool HasSource(const Connection& connection, const Source& source) {
  Failure failure;
  const Message answer = Call(connection, "querySource", source, failure);
  dbus_bool_t has = FALSE;
  if (answer == nullptr || ::dbus_message_get_args(answer.get(), failure.get(), DBUS_TYPE_BOOLEAN,
                                                   &has, DBUS_TYPE_INVALID) == FALSE) {
    throw Error(Code::kUnavailable, fmt::format("failed to find the address {} in {} zone: {}",
                                                source.address, source.zone, failure.text()));
  }
  return has != FALSE;
}

/// All or none.
void AddSources(const Connection& connection, const std::vector<Source>& sources) {
  Rollback undo;
  for (const Source& source : sources) {
    if (!AddSource(connection, source)) continue;
    undo.Push("source", [&] { RemoveSource(connection, source); });
  }
  undo.Commit();
}

std::string FindSources(const Connection& connection, const std::vector<Source>& sources) {
  std::string found;
  for (const Source& source : sources) {
    if (!HasSource(connection, source)) continue;
    fmt::format_to(std::back_inserter(found), "{} {}\n", source.zone, source.address);
  }
  return found;
}

void RequireService(const Connection& connection) {
  Failure failure;
  const dbus_bool_t owned = ::dbus_bus_name_has_owner(connection.get(), kService, failure.get());
  if (owned == FALSE) throw NotRunning();
}

std::vector<Source> ReadSources() {
  const std::string text = ReadAll(STDIN_FILENO, kLargestInput, "stdin");
  std::vector<Source> sources;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const size_t blank = line.rfind(' ');
    if (blank == std::string_view::npos) throw Error(Code::kDecode, "want lines ZONE SOURCE");
    sources.push_back({std::string(line.substr(0, blank)), std::string(line.substr(blank + 1))});
  }
  return sources;
}

int Run(std::string_view verb) {
  const bool known = verb == "running" || verb == "add" || verb == "remove" || verb == "query";
  if (!known) {
    Warn("use: cnm-firewalld running|add|remove|query, the last three with lines ZONE SOURCE");
    return kWrongUse;
  }
  const Connection connection = Connect();
  RequireService(connection);
  if (verb == "running") return kDone;
  const std::vector<Source> sources = ReadSources();
  if (verb == "add") {
    AddSources(connection, sources);
  } else if (verb == "remove") {
    for (const Source& source : sources) RemoveSource(connection, source);
  } else {
    WriteAll(STDOUT_FILENO, FindSources(connection, sources), "stdout");
  }
  return kDone;
}

int Complain(const std::exception& e) {
  WriteAll(STDOUT_FILENO, fmt::format("{}\n", e.what()), "stdout");
  return kFailed;
}

int RunGuarded(std::string_view verb) {
  try {
    return Run(verb);
  } catch (const Error& e) {
    return e.code() == Code::kNotFound ? kNotRunning : Complain(e);
  } catch (const std::exception& e) {
    return Complain(e);
  }
}

}  // namespace
}  // namespace cnm::firewall::firewalld

int main(int argc, char** argv) {
  return cnm::firewall::firewalld::RunGuarded(argc == 2 ? argv[1] : "");
}
