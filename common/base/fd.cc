// fd.cc: an owned file descriptor.
#include "common/base/fd.h"

#include <unistd.h>

namespace cnm {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Fd::Close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace cnm
