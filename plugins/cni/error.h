// error.h: errors as the CNI protocol writes them.
#pragma once

#include <string>
#include <string_view>

#include "common/base/error.h"

namespace cnm::cni {

/// The protocol's number for each of our codes (CNI SPEC "Error"); 100 and above are ours.
int CniNumber(Code code);

/// An error another plugin reported, which leaves through us with its own number and unchanged
/// words.
class ForeignError : public Error {
 public:
  ForeignError(int number, std::string message, std::string details);
  int number() const noexcept { return number_; }

 private:
  int number_;
};

/// The number `error` leaves with: CniNumber of its code, or a ForeignError's own.
int NumberOf(const Error& error);

/// The error document: cniVersion, code, msg and details (omitted if empty), indented, without a
/// final newline.
std::string PrintError(const Error& error, std::string_view version);

/// What a failed delegate said: its error document from `output` as a ForeignError. Output that is
/// none gives a ForeignError 999 in libcni's words ("netplugin failed with no error message: exit
/// status 2").
ForeignError DecodeError(std::string_view output, int exit_status);

}  // namespace cnm::cni
