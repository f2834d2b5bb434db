// SPDX-License-Identifier: MIT
#include "launcher/files/tree_copier.h"

#include <cerrno>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "launcher/files/file_text.h"

namespace vmfs {
namespace {

constexpr mode_t permissions = 0777;

std::unexpected<Error> host_error(const char* doing) {
  const int code = errno;
  return fail(code, "{} on the host", doing);
}

// Below `directory`, through no symbolic link, as O_PATH.
Fd open_beneath(int directory, const std::string& name) {
  open_how how{};
  how.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return Fd(static_cast<int>(::syscall(SYS_openat2, directory, name.c_str(), &how, sizeof how)));
}

// A component that names a file of its own: what a directory of an image says may be anything.
bool is_safe_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

// `name` in a directory that is relative itself, or empty for the one where everything begins.
std::string below(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : join_path(directory, name);
}

mode_t process_mask() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return mask;
}

}  // namespace

TreeCopier::TreeCopier(const Filesystem& filesystem, const CopyOptions& options)
    : filesystem_(filesystem),
      options_(options),
      mask_(process_mask()),
      contents_(progress_),
      attributes_(filesystem, options.xattrs) {}

void TreeCopier::copy(const std::string& path, Inode inode, Fd directory, std::string name,
                      const std::string& shown) {
  struct stat status{};
  if (::fstat(directory.get(), &status) != 0) return error(shown, host_error("stat").error());
  top_name_ = std::move(name);
  top_ = directory.get();
  levels_.clear();
  levels_.push_back({.fd = std::move(directory), .name = {}});
  copied_.clear();
  walk_tree(filesystem_, path, inode, *this, options_.follow_links ? WalkLinks::follow : WalkLinks::keep);
}

void TreeCopier::error(const std::string& path, const Error& error) {
  progress_.hide();
  report_.error("cannot copy", path, error);
}

int TreeCopier::finish() {
  progress_.hide();
  for (const std::string& line : attributes_.losses()) fmt::print(stderr, "vmfs: {}\n", line);
  return report_.finish();
}

WalkStep TreeCopier::visit(const WalkEntry& entry) {
  const auto step = copy_entry(entry);
  progress_.add(0, 1);
  if (step) return *step;
  error(entry.path, step.error());
  return WalkStep::over;
}

void TreeCopier::leave(const WalkEntry& entry) {
  const Level level = std::move(levels_.back());
  levels_.pop_back();
  if (const auto done = leave_directory(entry, level); !done) error(entry.path, done.error());
}

std::string TreeCopier::host_name(const WalkEntry& entry) const {
  return entry.depth == 0 ? top_name_ : entry.path.substr(entry.path.rfind('/') + 1);
}

Result<WalkStep> TreeCopier::copy_entry(const WalkEntry& entry) {
  const std::string name = host_name(entry);
  const mode_t mode = entry.attributes.mode;
  if (S_ISDIR(mode)) {
    if (!options_.recursive) return fail(EISDIR, "copied with -r only");
    TRY(enter_directory(entry, name));
    return WalkStep::into;
  }
  if (!is_safe_name(name)) return fail(EINVAL, "no name for a file: '{}'", name);
  const bool linked = TRY(link_to_first(entry, name));
  if (linked) return WalkStep::over;
  if (S_ISREG(mode)) {
    TRY(copy_file(entry, name));
  } else if (options_.recursive || S_ISLNK(mode)) {
    TRY(copy_special(entry, name));
  } else {
    return fail(EINVAL, "a {}; copied with -r only", type_text(mode, 0));
  }
  return WalkStep::over;
}

Result<void> TreeCopier::enter_directory(const WalkEntry& entry, const std::string& name) {
  const Level& parent = levels_.back();
  if (name.empty()) {
    levels_.push_back({.fd = Fd(::fcntl(parent.fd.get(), F_DUPFD_CLOEXEC, 0)), .name = {}});
    return {};
  }
  if (!is_safe_name(name)) return fail(EINVAL, "no name for a directory: '{}'", name);
  // What comes into it has to be written, whatever its mode will be.
  const mode_t mode = options_.attributes ? S_IRWXU : (entry.attributes.mode & permissions) | S_IRWXU;
  const bool made = ::mkdirat(parent.fd.get(), name.c_str(), mode) == 0;
  if (!made && errno != EEXIST) return host_error("mkdir");
  Fd fd(::openat(parent.fd.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd && (errno == ENOTDIR || errno == ELOOP)) return fail(EEXIST, "in the way: no directory");
  if (!fd) return host_error("open");
  levels_.push_back({.fd = std::move(fd), .name = below(parent.name, name), .made = made});
  return {};
}

Result<void> TreeCopier::leave_directory(const WalkEntry& entry, const Level& level) {
  if (options_.attributes) return attributes_.copy(entry.attributes, {.fd = level.fd.get()});
  const mode_t mode = entry.attributes.mode & permissions;
  if (level.made && (mode & S_IRWXU) != S_IRWXU && ::fchmod(level.fd.get(), mode & ~mask_) != 0) {
    return host_error("chmod");
  }
  return {};
}

// Removes what is in the way of a file that is no directory.
Result<void> TreeCopier::make_way(const std::string& name) {
  if (::unlinkat(levels_.back().fd.get(), name.c_str(), 0) == 0 || errno == ENOENT) return {};
  if (errno == EISDIR || errno == EPERM) {
    struct stat status{};
    const bool there = ::fstatat(levels_.back().fd.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && S_ISDIR(status.st_mode)) return fail(EISDIR, "in the way: a directory");
    errno = EPERM;
  }
  return host_error("unlink");
}

Result<void> TreeCopier::copy_file(const WalkEntry& entry, const std::string& name) {
  const auto source = TRY(filesystem_.open(entry.inode));
  const int parent = levels_.back().fd.get();
  const mode_t mode = options_.attributes ? S_IRUSR | S_IWUSR : entry.attributes.mode & permissions;
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
  Fd fd(::openat(parent, name.c_str(), flags, mode));
  if (!fd && errno == EEXIST) {
    TRY(make_way(name));
    fd = Fd(::openat(parent, name.c_str(), flags, mode));
  }
  if (!fd) return host_error("open");
  TRY(contents_.copy(*source, fd.get()));
  if (options_.attributes) TRY(attributes_.copy(entry.attributes, {.fd = fd.get()}));
  return {};
}

Result<void> TreeCopier::copy_special(const WalkEntry& entry, const std::string& name) {
  const int parent = levels_.back().fd.get();
  const mode_t mode = entry.attributes.mode;
  const bool is_link = S_ISLNK(mode);
  const std::string target = is_link ? TRY(filesystem_.readlink(entry.inode)) : std::string();
  const mode_t made_mode = (mode & S_IFMT) | (options_.attributes ? S_IRUSR | S_IWUSR : mode & permissions);
  TRY(make_way(name));
  const int made = is_link ? ::symlinkat(target.c_str(), parent, name.c_str())
                           : ::mknodat(parent, name.c_str(), made_mode, entry.attributes.device);
  if (made != 0) return host_error("create");
  if (!options_.attributes) return {};
  const Fd fd = open_beneath(parent, name);
  if (!fd) return host_error("open");
  return attributes_.copy(entry.attributes, {.fd = fd.get(), .path_only = true});
}

Result<bool> TreeCopier::link_to_first(const WalkEntry& entry, const std::string& name) {
  if (!options_.hard_links || entry.attributes.links < 2) return false;
  const std::string relative = below(levels_.back().name, name);
  const auto [first, fresh] = copied_.emplace(entry.inode, relative);
  if (fresh) return false;
  const Fd fd = open_beneath(top_, first->second);
  // The first one may have failed, and been complained of: then this one is the first.
  if (!fd) {
    first->second = relative;
    return false;
  }
  TRY(make_way(name));
  const std::string path = fmt::format("/proc/self/fd/{}", fd.get());
  if (::linkat(AT_FDCWD, path.c_str(), levels_.back().fd.get(), name.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    return host_error("link");
  }
  return true;
}

}  // namespace vmfs
