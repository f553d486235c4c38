// own_program.cc: whether a file is the program that is running.
#include "plugins/cni/own_program.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <optional>
#include <string_view>

#include "common/base/fd.h"

namespace cnm::cni {
namespace {

constexpr const char* kSelf = "/proc/self/exe";
constexpr size_t kLargestNotes = 4096;

/// Reads a T at `offset` of the file; nullopt when the file ends before.
template <class T>
std::optional<T> ReadAt(int fd, off_t offset) {
  T value;
  if (::pread(fd, &value, sizeof value, offset) != static_cast<ssize_t>(sizeof value)) return {};
  return value;
}

constexpr size_t Aligned(size_t size) {
  return (size + 3) & ~size_t{3};
}

/// The build id among the notes of one PT_NOTE segment (elf(5)): name size, description size, type,
/// name, description.
std::string FindBuildId(std::string_view notes) {
  constexpr std::string_view kGnu{"GNU\0", 4};
  ElfW(Nhdr) header{};
  while (notes.size() >= sizeof header) {
    std::memcpy(&header, notes.data(), sizeof header);
    notes.remove_prefix(sizeof header);
    const size_t name = Aligned(header.n_namesz);
    const size_t description = Aligned(header.n_descsz);
    if (name > notes.size() || description > notes.size() - name) break;
    if (header.n_type == NT_GNU_BUILD_ID && notes.substr(0, header.n_namesz) == kGnu) {
      return std::string(notes.substr(name, header.n_descsz));
    }
    notes.remove_prefix(name + description);
  }
  return "";
}

std::string ReadNotes(int fd, const ElfW(Phdr) & segment) {
  if (segment.p_type != PT_NOTE || segment.p_filesz > kLargestNotes) return "";
  std::string notes(segment.p_filesz, '\0');
  const ssize_t n = ::pread(fd, notes.data(), notes.size(), static_cast<off_t>(segment.p_offset));
  return n == static_cast<ssize_t>(notes.size()) ? notes : "";
}

/// "" when the file is no ELF file of this machine's word size or has no build id.
std::string BuildId(const char* path) {
  const Fd fd(::open(path, O_RDONLY | O_CLOEXEC));
  if (!fd) return "";
  const auto header = ReadAt<ElfW(Ehdr)>(fd.get(), 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return "";
  for (size_t i = 0; i < header->e_phnum; ++i) {
    const auto segment =
        ReadAt<ElfW(Phdr)>(fd.get(), static_cast<off_t>(header->e_phoff + i * sizeof(ElfW(Phdr))));
    if (!segment) return "";
    std::string id = FindBuildId(ReadNotes(fd.get(), *segment));
    if (!id.empty()) return id;
  }
  return "";
}

}  // namespace

bool IsOwnProgram(const std::string& file, const struct stat& status) {
  struct stat self {};
  if (::stat(kSelf, &self) != 0) return false;
  if (self.st_dev == status.st_dev && self.st_ino == status.st_ino) return true;
  if (self.st_size != status.st_size) return false;
  const std::string id = BuildId(kSelf);
  return !id.empty() && id == BuildId(file.c_str());
}

}  // namespace cnm::cni
