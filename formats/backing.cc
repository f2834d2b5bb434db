// SPDX-License-Identifier: MIT
#include "formats/backing.h"

#include <cerrno>
#include <string_view>
#include <system_error>

#include <sys/stat.h>
#include <unistd.h>

namespace vmfs {
namespace {

namespace stdfs = std::filesystem;

/// The protocol in front of a name, as QEMU splits it: up to a colon that comes before any slash.
std::string_view protocol_of(std::string_view name) {
  const auto end = name.find_first_of(":/");
  return end != std::string_view::npos && name[end] == ':' ? name.substr(0, end) : std::string_view{};
}

Result<stdfs::path> path_in(const std::string& name) {
  if (name.contains('\0')) return fail(EINVAL, "the name holds a zero byte");
  const std::string_view protocol = protocol_of(name);
  if (protocol == "file") return stdfs::path(name.substr(protocol.size() + 1));
  if (!protocol.empty()) return fail(EOPNOTSUPP, "the protocol {}: is not supported", protocol);
  return stdfs::path(name);
}

/// Whether permission `bit` (4 read, 1 search) is granted to `owner`.
bool granted(const struct stat& file, const struct stat& owner, mode_t bit) {
  if (file.st_uid == owner.st_uid) return (file.st_mode & bit << 6) != 0;
  if (file.st_gid == owner.st_gid) return (file.st_mode & bit << 3) != 0;
  return (file.st_mode & bit) != 0;
}

bool reachable_by(const struct stat& owner, const HostFile& file) {
  struct stat status{};
  if (::fstat(file.fd(), &status) != 0 || !granted(status, owner, 4)) return false;
  std::error_code error;
  const stdfs::path real = stdfs::read_symlink(fmt::format("/proc/self/fd/{}", file.fd()), error);
  if (error) return false;
  for (stdfs::path folder = real.parent_path();; folder = folder.parent_path()) {
    if (::stat(folder.c_str(), &status) != 0 || !granted(status, owner, 1)) return false;
    if (folder == folder.root_path()) return true;
  }
}

Result<void> check_owner(const HostFile& image, const HostFile& file) {
  struct stat owner{};
  if (::fstat(image.fd(), &owner) != 0) return fail(EPERM, "the owner of the image is not known");
  if (owner.st_uid == 0 || owner.st_uid == ::geteuid() || reachable_by(owner, file)) return {};
  return fail(EPERM, "the image's owner (uid {}) may not read it", owner.st_uid);
}

/// The places where a relative name may be meant.
std::vector<stdfs::path> candidates(const HostFile& image, const stdfs::path& name,
                                    const BackingPolicy& policy) {
  if (policy.directory) return {*policy.directory / name.filename()};
  if (name.is_absolute()) return {name};
  std::vector<stdfs::path> places;
  std::error_code error;
  if (const stdfs::path real = stdfs::canonical(image.path(), error); !error)
    places.push_back(real.parent_path() / name);
  places.push_back(image.path().parent_path() / name);
  return places;
}

Result<std::shared_ptr<const HostFile>> open_allowed(const HostFile& image, const std::string& name,
                                                     const BackingPolicy& policy) {
  if (!policy.follow) return fail(EPERM, "the files an image names are not to be opened");
  const stdfs::path path = TRY(path_in(name));
  Result<std::shared_ptr<const HostFile>> first = fail(ENOENT, "no such file");
  bool tried = false;
  for (const stdfs::path& place : candidates(image, path, policy)) {
    auto file = HostFile::open(place, HostFile::Kind::regular_only);
    if (file) {
      TRY(check_owner(image, **file));
      return file;
    }
    if (!tried) first = std::move(file);
    tried = true;
    if (first.error().code != ENOENT) break;
  }
  return first;
}

}  // namespace

Result<std::shared_ptr<const HostFile>> open_reference(const HostFile& image, const std::string& name,
                                                       const char* role, const BackingPolicy& policy) {
  auto file = open_allowed(image, name, policy);
  if (!file)
    return fail(file.error().code, "{}: cannot use its {} '{}': {}", image.path().string(), role, name,
                file.error().what);
  return file;
}

bool same_file(const HostFile& a, const HostFile& b) {
  struct stat first{};
  struct stat second{};
  return ::fstat(a.fd(), &first) == 0 && ::fstat(b.fd(), &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

}  // namespace vmfs
