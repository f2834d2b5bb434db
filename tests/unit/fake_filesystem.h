// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <dirent.h>
#include <sys/stat.h>

#include "fs/filesystem.h"

namespace vmfs::testing {

/// A file system in memory, built path by path: folders on the way are made. For tests of what stands on the
/// interface.
class FakeFilesystem final : public Filesystem {
 public:
  explicit FakeFilesystem(std::string label = {}, std::string uuid = {}) {
    info_.type = "ext4";
    info_.label = std::move(label);
    info_.uuid = std::move(uuid);
    info_.state = "clean";
    nodes_.push_back({.mode = S_IFDIR | 0755});
  }

  FakeFilesystem(const FakeFilesystem& other) : Filesystem(), info_(other.info_), nodes_(other.nodes_) {}

  FakeFilesystem& folder(std::string_view path) { return add(path, {.mode = S_IFDIR | 0755}); }
  FakeFilesystem& file(std::string_view path, std::string contents) {
    return add(path, {.mode = S_IFREG | 0644, .contents = std::move(contents)});
  }
  FakeFilesystem& link(std::string_view path, std::string target) {
    return add(path, {.mode = S_IFLNK | 0777, .contents = std::move(target)});
  }
  /// A name whose inode number is this, whatever is there.
  FakeFilesystem& name(const std::string& in_root, std::uint64_t number) {
    nodes_.front().children.emplace(in_root, Inode{number});
    return *this;
  }
  /// Every use of this file fails with `code`.
  FakeFilesystem& broken(std::string_view path, int code) {
    return add(path, {.mode = S_IFREG, .error = code});
  }

  const FilesystemInfo& info() const override { return info_; }
  Inode root() const override { return Inode{1}; }
  Result<Usage> usage() const override { return Usage{.files = nodes_.size()}; }

  Result<Attributes> stat(Inode inode) const override {
    const Node* node = find(inode);
    if (node == nullptr) return fail(ESTALE, "no inode {}", static_cast<std::uint64_t>(inode));
    if (node->error != 0) return fail(node->error, "broken");
    Attributes attributes;
    attributes.inode = inode;
    attributes.mode = node->mode;
    attributes.links = 1;
    attributes.size = node->contents.size();
    return attributes;
  }

  Result<Inode> lookup(Inode directory, std::string_view name) const override {
    const Node* node = find(directory);
    if (node == nullptr || !S_ISDIR(node->mode)) return fail(ENOTDIR, "not a folder");
    if (name == ".") return directory;
    if (name == "..") return node->parent;
    const auto child = node->children.find(name);
    if (child == node->children.end()) return fail(ENOENT, "no '{}'", name);
    return child->second;
  }

  Result<void> list(Inode directory, std::uint64_t cookie, const DirectoryVisitor& visit) const override {
    const Node* node = find(directory);
    if (node == nullptr || !S_ISDIR(node->mode)) return fail(ENOTDIR, "not a folder");
    std::vector<std::pair<std::string, Inode>> entries{{".", directory}, {"..", node->parent}};
    entries.insert(entries.end(), node->children.begin(), node->children.end());
    std::uint64_t next = 0;
    for (const auto& [name, inode] : entries) {
      const Node* const found = find(inode);
      const auto type = static_cast<unsigned char>(IFTODT(found == nullptr ? 0 : found->mode));
      if (++next <= cookie) continue;
      if (!visit({.name = name, .inode = inode, .type = type, .next = next})) break;
    }
    return {};
  }

  void will_list(std::span<const Inode> directories) const override {
    announced.insert(announced.end(), directories.begin(), directories.end());
  }
  mutable std::vector<Inode> announced;  ///< what will_list() was told

  Result<std::string> readlink(Inode inode) const override {
    const Node* node = find(inode);
    if (node == nullptr || !S_ISLNK(node->mode)) return fail(EINVAL, "not a symbolic link");
    return node->contents;
  }

  Result<std::shared_ptr<const Source>> open(Inode inode) const override {
    const Node* node = find(inode);
    if (node == nullptr || !S_ISREG(node->mode)) return fail(EINVAL, "not a regular file");
    const auto bytes = std::as_bytes(std::span(node->contents));
    return std::make_shared<MemorySource>(std::vector(bytes.begin(), bytes.end()));
  }

  Result<std::vector<std::string>> xattr_names(Inode) const override { return std::vector<std::string>{}; }
  Result<std::string> xattr(Inode, std::string_view) const override { return fail(ENODATA, "no attributes"); }

 private:
  struct Node {
    mode_t mode = 0;
    std::string contents = {};  ///< of a file, or the target of a link
    std::map<std::string, Inode, std::less<>> children = {};
    int error = 0;
    Inode parent{1};
  };

  const Node* find(Inode inode) const {
    const auto index = static_cast<std::uint64_t>(inode) - 1;
    return index < nodes_.size() ? &nodes_[index] : nullptr;
  }

  FakeFilesystem& add(std::string_view path, const Node& node) {
    std::size_t parent = 0;
    while (!path.empty()) {
      const std::string name(path.substr(0, path.find('/')));
      path.remove_prefix(std::min(path.size(), name.size() + 1));
      if (name.empty()) continue;
      const auto child = nodes_[parent].children.find(name);
      if (child != nodes_[parent].children.end()) {
        parent = static_cast<std::size_t>(child->second) - 1;
        continue;
      }
      nodes_.push_back(path.empty() ? node : Node{.mode = S_IFDIR | 0755});
      nodes_.back().parent = Inode{parent + 1};
      nodes_[parent].children.emplace(name, Inode{nodes_.size()});
      parent = nodes_.size() - 1;
    }
    return *this;
  }

  FilesystemInfo info_;
  std::vector<Node> nodes_;  ///< by inode number less 1; the root first
};

}  // namespace vmfs::testing
