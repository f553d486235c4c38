// netns.h: network namespaces as values.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

#include "common/base/fd.h"

namespace cnm::netns {

/// Which namespace: device and inode of its nsfs file; equal only for the same live namespace.
struct Identity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const Identity&) const = default;
};

/// Of the calling thread's, without opening it.
Identity CurrentIdentity();

/// An open network namespace. While it is open the namespace lives.
class NetNs {
 public:
  /// @throws Error kNetns with the reference's words (LB-NS): "failed to Statfs "P": no such file
  /// or directory", "unknown FS magic on "P": ef53"; also when it is a namespace of another type
  /// (NS_GET_NSTYPE)
  static NetNs Open(const std::string& path);
  /// nullopt when the path does not exist or is not a network namespace: DEL goes on without it.
  static std::optional<NetNs> TryOpen(const std::string& path);
  /// The calling thread's.
  static NetNs Current();

  int fd() const { return fd_.get(); }
  Identity identity() const { return identity_; }

  /// Moves the calling thread into it, one way: for short-lived programs. There is no way back in
  /// this interface.
  /// @throws Error kNetns "enter network namespace: reason"
  void Enter() const;

  /// Runs `work` inside it and comes back, also when it throws. For daemons: only the calling
  /// thread is away. @throws Error kNetns "enter network namespace: reason"
  void Run(const std::function<void()>& work) const;

 private:
  NetNs(Fd fd, Identity identity) : fd_(std::move(fd)), identity_(identity) {}
  Fd fd_;
  Identity identity_;
};

}  // namespace cnm::netns
