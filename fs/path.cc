// SPDX-License-Identifier: MIT
#include "fs/path.h"

#include <cerrno>
#include <span>
#include <vector>

#include <sys/stat.h>

namespace vmfs {
namespace {

constexpr int max_links = 40;
constexpr std::size_t path_max = 4096;

/// A walk from the root; the folders passed are kept so that ".." never asks the disk.
class Walk {
 public:
  Walk(const Filesystem& filesystem, bool follow_last)
      : filesystem_(filesystem), follow_last_(follow_last), passed_{filesystem.root()} {}

  Result<Inode> follow(std::string_view path) {
    push(path);
    while (!pending_.empty()) {
      const std::string name = std::move(pending_.back());
      pending_.pop_back();
      const auto attributes = TRY(filesystem_.stat(passed_.back()));
      if (!S_ISDIR(attributes.mode)) return fail(ENOTDIR, "not a folder: what comes before '{}'", name);
      if (name == ".") continue;
      if (name != "..") {
        TRY(step(name));
      } else if (passed_.size() > 1) {
        passed_.pop_back();
      }
    }
    return passed_.back();
  }

 private:
  /// Puts the components of `path` before those that are pending. A slash at the end asks for a folder, as
  /// "." does.
  void push(std::string_view path) {
    if (path.ends_with('/')) pending_.emplace_back(".");
    while (!path.empty()) {
      const std::size_t slash = path.rfind('/');
      const std::size_t start = slash == std::string_view::npos ? 0 : slash + 1;
      if (start < path.size()) pending_.emplace_back(path.substr(start));
      path = path.substr(0, slash == std::string_view::npos ? 0 : slash);
    }
  }

  Result<void> step(const std::string& name) {
    const Inode found = TRY(filesystem_.lookup(passed_.back(), name));
    const auto attributes = TRY(filesystem_.stat(found));
    if (!S_ISLNK(attributes.mode) || (pending_.empty() && !follow_last_)) {
      passed_.push_back(found);
      return {};
    }
    if (++links_ > max_links) return fail(ELOOP, "more than {} symbolic links at '{}'", max_links, name);
    const std::string target = TRY(filesystem_.readlink(found));
    if (target.empty()) return fail(ENOENT, "symbolic link '{}' is empty", name);
    if (target.size() >= path_max) {
      return fail(ENAMETOOLONG, "symbolic link '{}' has {} bytes", name, target.size());
    }
    if (target.front() == '/') passed_.resize(1);
    push(target);
    return {};
  }

  const Filesystem& filesystem_;
  const bool follow_last_;
  std::vector<Inode> passed_;
  std::vector<std::string> pending_;  ///< components still to go, the next one last
  int links_ = 0;
};

Result<Inode> resolve_path(const Filesystem& filesystem, std::string_view path, bool follow_last) {
  if (path.empty()) return fail(ENOENT, "an empty path");
  if (path.size() >= path_max) return fail(ENAMETOOLONG, "a path of {} bytes", path.size());
  return Walk(filesystem, follow_last).follow(path);
}

}  // namespace

Result<Inode> resolve(const Filesystem& filesystem, std::string_view path) {
  return resolve_path(filesystem, path, true);
}

Result<Inode> resolve_link(const Filesystem& filesystem, std::string_view path) {
  return resolve_path(filesystem, path, false);
}

Result<std::string> read_small_file(const Filesystem& filesystem, Inode inode, std::uint64_t max) {
  const auto attributes = TRY(filesystem.stat(inode));
  if (!S_ISREG(attributes.mode)) return fail(EINVAL, "not a regular file");
  const auto source = TRY(filesystem.open(inode));
  if (source->size() > max) return fail(EFBIG, "{} bytes, expected at most {}", source->size(), max);
  std::string contents(static_cast<std::size_t>(source->size()), '\0');
  TRY(read(*source, 0, std::as_writable_bytes(std::span(contents))));
  return contents;
}

}  // namespace vmfs
