// SPDX-License-Identifier: MIT
#include "launcher/files/tree_diff.h"

#include <algorithm>
#include <cerrno>

#include <sys/stat.h>

namespace vmfs {
namespace {

constexpr std::size_t max_depth = 1024;  // each takes some of the stack

constexpr std::string_view words[] = {"type", "content", "target", "device",
                                      "mode", "owner",   "xattrs", "modified"};

/// Tells of every file of a tree that the other side does not have.
class OneSided final : public WalkVisitor {
 public:
  OneSided(const DiffEvents& events, bool added) : events_(events), added_(added) {}

  WalkStep visit(const WalkEntry& entry) override {
    Difference difference;
    difference.path = entry.path;
    (added_ ? difference.after : difference.before) = entry.attributes;
    events_.difference(difference);
    return WalkStep::into;
  }

  void error(const std::string& path, const Error& error) override { events_.error(path, error); }

 private:
  const DiffEvents& events_;
  const bool added_;
};

Result<std::map<std::string, std::string>> read_xattrs(const Filesystem& filesystem, Inode inode) {
  std::map<std::string, std::string> out;
  const auto names = TRY(filesystem.xattr_names(inode));
  for (const std::string& name : names) out[name] = TRY(filesystem.xattr(inode, name));
  return out;
}

}  // namespace

std::string_view change_word(Change change) {
  return words[static_cast<std::size_t>(change)];
}

TreeDiff::TreeDiff(const Filesystem& before, const Filesystem& after, bool times, DiffEvents events)
    : before_(before), after_(after), times_(times), events_(std::move(events)), contents_(events_.tick) {}

void TreeDiff::compare(const std::string& path, Inode before, Inode after) {
  compare(path, Pair{.before = before, .after = after}, 0);
}

void TreeDiff::compare(const std::string& path, const Pair& pair, std::size_t depth) {
  const auto found = differences(path, pair);
  if (!found) return events_.error(path, found.error());
  const bool other_type = !found->changes.empty() && found->changes.front() == Change::type;
  if (!found->changes.empty()) events_.difference(*found);
  const bool was_directory = S_ISDIR(found->before->mode);
  const bool is_directory = S_ISDIR(found->after->mode);
  if (!other_type && is_directory) return compare_directories(path, pair, depth);
  if (!other_type) return;
  std::vector<Child> children;
  const Filesystem& side = was_directory ? before_ : after_;
  if (!was_directory && !is_directory) return;
  if (const auto done = read_directory(side, was_directory ? pair.before : pair.after, children); !done) {
    events_.error(path, done.error());
  }
  for (const Child& child : children) one_sided(join_path(path, child.name), side, child.inode, is_directory);
}

void TreeDiff::compare_directories(const std::string& path, const Pair& pair, std::size_t depth) {
  if (depth >= max_depth) return events_.error(path, {ENAMETOOLONG, "too deep"});
  const bool fresh_before = entered_[0].insert(static_cast<std::uint64_t>(pair.before)).second;
  const bool fresh_after = entered_[1].insert(static_cast<std::uint64_t>(pair.after)).second;
  if (!fresh_before || !fresh_after) return events_.error(path, {EUCLEAN, "a directory with two names"});
  std::vector<Child> before;
  std::vector<Child> after;
  const auto done_before = read_directory(before_, pair.before, before);
  const auto done_after = read_directory(after_, pair.after, after);
  if (!done_before) events_.error(path, done_before.error());
  if (!done_after) events_.error(path, done_after.error());
  auto old = before.begin();
  auto now = after.begin();
  while (old != before.end() || now != after.end()) {
    const bool is_old = now == after.end() || (old != before.end() && old->name <= now->name);
    const bool is_new = old == before.end() || (now != after.end() && now->name <= old->name);
    const std::string child = join_path(path, is_old ? old->name : now->name);
    if (is_old && is_new) {
      compare(child, Pair{.before = old->inode, .after = now->inode}, depth + 1);
    } else if (is_old) {
      one_sided(child, before_, old->inode, false);
    } else {
      one_sided(child, after_, now->inode, true);
    }
    if (is_old) ++old;
    if (is_new) ++now;
  }
}

void TreeDiff::one_sided(const std::string& path, const Filesystem& filesystem, Inode inode, bool added) {
  OneSided visitor(events_, added);
  walk_tree(filesystem, path, inode, visitor);
}

Result<Difference> TreeDiff::differences(const std::string& path, const Pair& pair) {
  Difference found{.path = path,
                   .before = TRY(before_.stat(pair.before)),
                   .after = TRY(after_.stat(pair.after)),
                   .changes = {},
                   .xattrs = {}};
  const Attributes& before = *found.before;
  const Attributes& after = *found.after;
  const auto note = [&found](Change change, bool differs) {
    if (differs) found.changes.push_back(change);
  };
  if ((before.mode & S_IFMT) != (after.mode & S_IFMT)) {
    note(Change::type, true);
    return found;
  }
  if (S_ISREG(before.mode)) {
    const bool same = TRY(same_file(pair, before, after));
    note(Change::content, !same);
  } else if (S_ISLNK(before.mode)) {
    const auto target = TRY(before_.readlink(pair.before));
    note(Change::target, target != TRY(after_.readlink(pair.after)));
  } else if (S_ISCHR(before.mode) || S_ISBLK(before.mode)) {
    note(Change::device, before.device != after.device);
  }
  note(Change::mode, before.mode != after.mode);
  note(Change::owner, before.uid != after.uid || before.gid != after.gid);
  found.xattrs = TRY(xattr_changes(pair));
  note(Change::xattrs, !found.xattrs.empty());
  note(Change::modified, times_ && (before.modified.tv_sec != after.modified.tv_sec ||
                                    before.modified.tv_nsec != after.modified.tv_nsec));
  return found;
}

Result<bool> TreeDiff::same_file(const Pair& pair, const Attributes& before, const Attributes& after) {
  if (before.size != after.size) return false;
  if (before.size == 0) return true;
  const bool linked = before.links > 1 && after.links > 1;
  if (const auto known = linked_.find(pair); linked && known != linked_.end()) return known->second;
  const auto old = TRY(before_.open(pair.before));
  const auto now = TRY(after_.open(pair.after));
  const bool same = TRY(contents_.same(*old, *now));
  if (linked) linked_[pair] = same;
  return same;
}

Result<std::vector<std::string>> TreeDiff::xattr_changes(const Pair& pair) const {
  const auto before = TRY(read_xattrs(before_, pair.before));
  const auto after = TRY(read_xattrs(after_, pair.after));
  std::vector<std::string> changes;
  for (const auto& [name, value] : before) {
    const auto other = after.find(name);
    if (other == after.end()) {
      changes.push_back("-" + name);
    } else if (other->second != value) {
      changes.push_back("~" + name);
    }
  }
  for (const auto& [name, value] : after) {
    if (!before.contains(name)) changes.push_back("+" + name);
  }
  std::ranges::sort(changes, {},
                    [](const std::string& change) { return std::string_view(change).substr(1); });
  return changes;
}

}  // namespace vmfs
