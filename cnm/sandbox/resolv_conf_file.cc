// resolv_conf_file.cc: a sandbox's /etc/resolv.conf as a file that its user may edit.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "cnm/sandbox/mounted_file.h"
#include "cnm/sandbox/resolv_conf.h"
#include "common/base/atomic_file.h"
#include "common/base/digest.h"

namespace cnm::resolv_conf {
namespace {

std::string HashPath(const std::string& path) {
  return path + ".hash";
}

std::string Digest(std::string_view text) {
  const size_t end = text.find_last_not_of('\n');
  return "sha512:" + Sha512Hex(text.substr(0, end == std::string_view::npos ? 0 : end + 1), 128);
}

void SaveHash(const std::string& path, std::string_view hash) {
  WriteFileAtomic(HashPath(path), hash, Durability::kVolatile, 0644);
}

/// Whether `text` is what we wrote, by a hash file of one digest or, after a kill, of two.
bool IsOurs(const std::string& path, std::string_view text) {
  const std::string digest = Digest(text);
  const std::string saved = ReadFile(HashPath(path), 4096).value_or("");
  const size_t end = std::min(saved.find('\n'), saved.size());
  return digest == saved.substr(0, end) || digest == saved.substr(std::min(end + 1, saved.size()));
}

void Replace(MountedFile& file, const std::string& path, const std::optional<std::string>& before,
             std::string_view text) {
  SaveHash(path, before ? fmt::format("{}\n{}", Digest(text), Digest(*before)) : Digest(text));
  file.Write(text);
  SaveHash(path, Digest(text));
}

}  // namespace

std::string ReadHost(const HostFiles& files) {
  std::string text = ReadFile(files.resolv_conf).value_or("");
  if (!IsResolvedStub(text)) return text;
  return ReadFile(files.resolved).value_or(std::move(text));
}

void WriteFile(const std::string& path, std::string_view text) {
  MountedFile file(path);
  Replace(file, path, file.Read(), text);
}

bool UpdateFile(const std::string& path, std::string_view text) {
  if (!MountedFile::Exists(path)) return false;
  MountedFile file(path);
  const std::optional<std::string> before = file.Read();
  if (!before || !IsOurs(path, *before)) return false;
  if (*before != text) Replace(file, path, before, text);
  return true;
}

void CopyFile(const std::string& origin, const std::string& path) {
  MountedFile file(path);
  cnm::RemoveFile(HashPath(path));
  file.Write(ReadFile(origin).value_or(""));
}

bool RemoveFile(const std::string& path) {
  cnm::RemoveFile(HashPath(path));
  return MountedFile::Remove(path);
}

}  // namespace cnm::resolv_conf
