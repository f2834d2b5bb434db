// SPDX-License-Identifier: MIT
#include "launcher/files/directory.h"

#include <algorithm>
#include <cerrno>
#include <span>

#include <dirent.h>
#include <sys/stat.h>

#include "fs/path.h"

namespace vmfs {
namespace {

constexpr std::size_t max_depth = 4096;
constexpr std::size_t most_announced = 256;

bool is_name(std::string_view name) {
  return !name.empty() && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

class TreeWalk {
 public:
  TreeWalk(const Filesystem& filesystem, WalkVisitor& visitor, WalkLinks links)
      : filesystem_(filesystem), visitor_(visitor), links_(links) {}

  /// False: the visitor wants no more.
  bool go(WalkEntry entry) {
    if (const auto found = find(entry); !found) {
      visitor_.error(entry.path, found.error());
      return true;
    }
    const WalkStep step = visitor_.visit(entry);
    if (step == WalkStep::stop) return false;
    if (step == WalkStep::over || !S_ISDIR(entry.attributes.mode)) return true;
    if (!descend(entry)) return false;
    visitor_.leave(entry);
    return true;
  }

 private:
  Result<void> find(WalkEntry& entry) const {
    entry.attributes = TRY(filesystem_.stat(entry.inode));
    if (links_ == WalkLinks::keep || !S_ISLNK(entry.attributes.mode)) return {};
    entry.inode = TRY(resolve(filesystem_, entry.path));
    entry.attributes = TRY(filesystem_.stat(entry.inode));
    return {};
  }

  bool descend(const WalkEntry& entry) {
    if (const auto entered = enter(entry); !entered) {
      visitor_.error(entry.path, entered.error());
      return true;
    }
    std::vector<Child> children;
    const auto odd = [&](const std::string& name) {
      visitor_.error(join_path(entry.path, name), {EUCLEAN, "a name that no file can have"});
    };
    const auto listed = read_directory(filesystem_, entry.inode, children, odd);
    if (!listed) visitor_.error(entry.path, listed.error());
    bool wanted = true;
    for (std::size_t i = 0; wanted && i < children.size(); ++i) {
      if (i % most_announced == 0) announce(std::span(children).subspan(i));
      wanted = go({.path = join_path(entry.path, children[i].name),
                   .inode = children[i].inode,
                   .attributes = {},
                   .depth = entry.depth + 1});
    }
    if (links_ == WalkLinks::follow) entered_.erase(entry.inode);
    return wanted;
  }

  // So that the disk is not waited for in each of them, nor for all of them in the first.
  void announce(std::span<const Child> children) const {
    std::vector<Inode> directories;
    for (const Child& child : children.first(std::min(children.size(), most_announced))) {
      if (child.directory) directories.push_back(child.inode);
    }
    if (!directories.empty()) filesystem_.will_list(directories);
  }

  Result<void> enter(const WalkEntry& entry) {
    if (entry.depth == max_depth) return fail(ENAMETOOLONG, "nested deeper than {} levels", max_depth);
    if (entered_.insert(entry.inode).second) return {};
    if (links_ == WalkLinks::follow) return fail(ELOOP, "a symbolic link leads back to this directory");
    return fail(EUCLEAN, "this directory is in the tree more than once");
  }

  const Filesystem& filesystem_;
  WalkVisitor& visitor_;
  const WalkLinks links_;
  std::unordered_set<Inode> entered_;  ///< where links are followed: those that we are in
};

}  // namespace

Result<void> read_directory(const Filesystem& filesystem, Inode directory, std::vector<Child>& children,
                            const std::function<void(const std::string&)>& odd) {
  const auto listed = filesystem.list(directory, 0, [&](const DirectoryEntry& entry) {
    if (entry.name == "." || entry.name == "..") return true;
    if (is_name(entry.name)) {
      children.push_back(
          {.name = std::string(entry.name), .inode = entry.inode, .directory = entry.type == DT_DIR});
    } else if (odd) {
      odd(std::string(entry.name));
    }
    return true;
  });
  std::ranges::sort(children, {}, &Child::name);
  return listed;
}

std::string join_path(std::string_view directory, std::string_view name) {
  std::string path(directory);
  if (!path.ends_with('/')) path += '/';
  path += name;
  return path;
}

void walk_tree(const Filesystem& filesystem, const std::string& path, Inode start, WalkVisitor& visitor,
               WalkLinks links) {
  TreeWalk(filesystem, visitor, links).go({.path = path, .inode = start, .attributes = {}, .depth = 0});
}

}  // namespace vmfs
