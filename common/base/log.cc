// log.cc: warnings for people (stderr) and the flight recorder for operators (a ring file).
#include "common/base/log.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "common/base/atomic_file.h"
#include "common/base/error.h"
#include "common/base/fd.h"

namespace cnm {
namespace {

constexpr uint64_t kFileBytes =
    RingLog::kHeaderBytes + uint64_t{RingLog::kSlots} * RingLog::kSlotBytes;

/// Opens the ring, making it full size once: a sparse file, so that only written slots take memory.
/// The page of the counter is allocated then, because touching a mapped hole on a full disk would
/// kill us with SIGBUS.
Fd OpenRing(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return fd;
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return Fd();
  if (static_cast<uint64_t>(st.st_size) < kFileBytes &&
      ::ftruncate(fd.get(), static_cast<off_t>(kFileBytes)) != 0) {
    return Fd();
  }
  if (st.st_blocks == 0 && ::fallocate(fd.get(), 0, 0, RingLog::kHeaderBytes) != 0) return Fd();
  return fd;
}

}  // namespace

void Warn(std::string_view text) noexcept {
  std::array<char, 2048> line{};
  constexpr std::string_view kPrefix = "cnm: ";
  const size_t room = line.size() - kPrefix.size() - 1;
  const size_t length = std::min(text.size(), room);
  std::memcpy(line.data(), kPrefix.data(), kPrefix.size());
  std::memcpy(line.data() + kPrefix.size(), text.data(), length);
  line[kPrefix.size() + length] = '\n';
  [[maybe_unused]] const ssize_t n =
      ::write(STDERR_FILENO, line.data(), kPrefix.size() + length + 1);
}

bool RingLog::Append(std::string_view line) noexcept {
  const Fd fd = OpenRing(path_);
  if (!fd) return false;
  void* map = ::mmap(nullptr, kHeaderBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (map == MAP_FAILED) return false;
  std::atomic_ref<uint64_t> next(*static_cast<uint64_t*>(map));
  const uint64_t slot = next.fetch_add(1) % kSlots;
  ::munmap(map, kHeaderBytes);
  std::array<char, kSlotBytes> text{};
  const size_t length = std::min<size_t>(line.size(), kSlotBytes - 1);
  std::memcpy(text.data(), line.data(), length);
  text[length] = '\n';
  const auto at = static_cast<off_t>(kHeaderBytes + slot * kSlotBytes);
  return ::pwrite(fd.get(), text.data(), text.size(), at) == static_cast<ssize_t>(text.size());
}

std::vector<std::string> RingLog::Read() const {
  const std::optional<std::string> bytes = ReadFile(path_, kFileBytes);
  std::vector<std::string> lines;
  if (!bytes || bytes->size() < kHeaderBytes) return lines;
  uint64_t next = 0;
  std::memcpy(&next, bytes->data(), sizeof next);
  for (uint64_t i = next > kSlots ? next - kSlots : 0; i < next; ++i) {
    const size_t at = kHeaderBytes + (i % kSlots) * kSlotBytes;
    if (at + kSlotBytes > bytes->size()) continue;
    const std::string_view slot(bytes->data() + at, kSlotBytes);
    const size_t end = slot.find('\n');
    if (end != std::string_view::npos && end > 0) lines.emplace_back(slot.substr(0, end));
  }
  return lines;
}

}  // namespace cnm
