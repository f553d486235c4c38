// error.h: the one exception type of the project.
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace cnm {

/// What kind of failure, independent of the door it leaves through. The CNI number and the HTTP
/// status of each are one table at each door (plugins/cni/error.cc, cnm/daemon).
enum class Code {
  kIncompatibleVersion,  ///< protocol version not supported
  kUnsupportedField,     ///< a field that we know and do not support, or not yet
  kUnknownContainer,     ///< the container or endpoint does not exist
  kEnvironment,          ///< invalid environment variable or argument
  kIo,                   ///< a file could not be read or written
  kDecode,               ///< text that does not parse
  kConfig,               ///< parsed, but invalid
  kNetns,                ///< the network namespace is missing, not one, or the wrong one
  kTryAgain,             ///< busy; the same call may succeed later
  kUnavailable,          ///< the service cannot be provided now
  kLimited,              ///< as kUnavailable, and existing containers may suffer too
  kExhausted,            ///< no free address
  kInUse,                ///< an address, port or link belongs to somebody else
  kOverlap,              ///< address ranges overlap
  kExists,               ///< the endpoint exists already and is alive
  kNotFound,             ///< a named object does not exist
  kKernel,               ///< the kernel refused a request
  kInternal,             ///< a defect of ours
};

/// A failure: `message` is one line `operation object: reason`, lower case, no full stop; `details`
/// adds what helps to mend it (JSON path, holder, hint) and may be empty.
class Error : public std::exception {
 public:
  Error(Code code, std::string message, std::string details = "")
      : code_(code), message_(std::move(message)), details_(std::move(details)) {}

  Code code() const noexcept { return code_; }
  const std::string& message() const noexcept { return message_; }
  const std::string& details() const noexcept { return details_; }
  const char* what() const noexcept override { return message_.c_str(); }

  /// Prepends "context: " to the message: a layer names its own noun, once, and rethrows.
  Error& AddContext(std::string_view context);
  /// Appends to the details, separated by "; ".
  Error& AddDetail(std::string_view detail);

 private:
  Code code_;
  std::string message_;
  std::string details_;
};

/// An Error for a failed system call: "what: strerror(err)".
Error SystemError(Code code, std::string_view what, int err);

/// The text of an errno value, thread safe and without locale ("No such file or directory").
std::string_view ErrnoText(int err);

}  // namespace cnm
