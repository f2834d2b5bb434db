// SPDX-License-Identifier: MIT
#include "fs/guest/tree.h"

#include <algorithm>
#include <cerrno>

#include <sys/stat.h>

namespace vmfs {
namespace {

constexpr unsigned branch_shift = 56;
constexpr std::uint64_t own_bits = (std::uint64_t{1} << branch_shift) - 1;
constexpr std::size_t max_branches = 256;

}  // namespace

Tree::Tree(std::shared_ptr<const Filesystem> root) : info_(root->info()) {
  branches_.push_back({.filesystem = std::move(root), .parent = {}});
}

Result<void> Tree::mount(std::shared_ptr<const Filesystem> filesystem, Inode directory) {
  const Attributes below = TRY(stat(directory));
  if (!S_ISDIR(below.mode)) return fail(ENOTDIR, "not a directory");
  if (directory == root()) return fail(EBUSY, "the root of the tree");
  if (branches_.size() == max_branches) return fail(EMFILE, "more than {} file systems", max_branches - 1);
  const Attributes top = TRY(filesystem->stat(filesystem->root()));
  if (!S_ISDIR(top.mode)) return fail(ENOTDIR, "the root of the file system is no directory");
  const Inode parent = TRY(lookup(directory, ".."));
  info_.opens_can_fail = info_.opens_can_fail || filesystem->info().opens_can_fail;
  covered_[directory] = branches_.size();
  branches_.push_back({.filesystem = std::move(filesystem), .parent = parent});
  return {};
}

Result<Tree::Place> Tree::place_of(Inode inode) const {
  const auto value = static_cast<std::uint64_t>(inode);
  const std::size_t branch = value >> branch_shift;
  if (branch >= branches_.size()) return fail(ESTALE, "no inode {:#x}", value);
  return Place{
      .branch = branch, .filesystem = branches_[branch].filesystem.get(), .inode = Inode{value & own_bits}};
}

// No file system has an inode of a number that does not fit: only damage names one, and no file is found
// then.
Inode Tree::number(std::size_t branch, Inode inode) {
  const std::uint64_t own = std::min(static_cast<std::uint64_t>(inode), own_bits);
  return Inode{std::uint64_t{branch} << branch_shift | own};
}

Inode Tree::uppermost(Inode inode) const {
  for (auto found = covered_.find(inode); found != covered_.end(); found = covered_.find(inode)) {
    inode = number(found->second, branches_[found->second].filesystem->root());
  }
  return inode;
}

bool Tree::is_mounted_root(const Place& place) {
  return place.branch != 0 && place.inode == place.filesystem->root();
}

Result<Usage> Tree::usage_at(Inode inode) const {
  const Place place = TRY(place_of(inode));
  return place.filesystem->usage();
}

Result<Attributes> Tree::stat(Inode inode) const {
  const Place place = TRY(place_of(inode));
  Attributes attributes = TRY(place.filesystem->stat(place.inode));
  attributes.inode = inode;
  return attributes;
}

Result<Inode> Tree::lookup(Inode directory, std::string_view name) const {
  const Place place = TRY(place_of(directory));
  if (name == ".." && is_mounted_root(place)) return branches_[place.branch].parent;
  return uppermost(number(place.branch, TRY(place.filesystem->lookup(place.inode, name))));
}

Result<void> Tree::list(Inode directory, std::uint64_t cookie, const DirectoryVisitor& visit) const {
  const Place place = TRY(place_of(directory));
  return place.filesystem->list(place.inode, cookie, [&](const DirectoryEntry& entry) {
    DirectoryEntry shown = entry;
    shown.inode = entry.name == ".." && is_mounted_root(place) ? branches_[place.branch].parent
                                                               : uppermost(number(place.branch, entry.inode));
    return visit(shown);
  });
}

void Tree::will_list(std::span<const Inode> directories) const {
  std::vector<std::vector<Inode>> of_branch(branches_.size());
  for (const Inode directory : directories) {
    if (const auto place = place_of(directory)) of_branch[place->branch].push_back(place->inode);
  }
  for (std::size_t i = 0; i < of_branch.size(); ++i) {
    if (!of_branch[i].empty()) branches_[i].filesystem->will_list(of_branch[i]);
  }
}

Result<std::string> Tree::readlink(Inode inode) const {
  const Place place = TRY(place_of(inode));
  return place.filesystem->readlink(place.inode);
}

Result<std::shared_ptr<const Source>> Tree::open(Inode inode) const {
  const Place place = TRY(place_of(inode));
  return place.filesystem->open(place.inode);
}

Result<std::vector<std::string>> Tree::xattr_names(Inode inode) const {
  const Place place = TRY(place_of(inode));
  return place.filesystem->xattr_names(place.inode);
}

Result<std::string> Tree::xattr(Inode inode, std::string_view name) const {
  const Place place = TRY(place_of(inode));
  return place.filesystem->xattr(place.inode, name);
}

}  // namespace vmfs
