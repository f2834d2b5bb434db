// SPDX-License-Identifier: MIT
#include "fs/guest/all_volumes.h"

#include <algorithm>
#include <cerrno>
#include <map>

#include <dirent.h>
#include <sys/stat.h>

#include "fs/guest/tree.h"

namespace vmfs {
namespace {

/// Directories, and nothing in them but directories.
class Directories final : public Filesystem {
 public:
  Directories() {
    info_.type = "vmfs";
    info_.state = "clean";
    nodes_.emplace_back();
  }

  /// Makes a directory and those above it; absent for a path that none can have.
  std::optional<Inode> add(std::string_view path) {
    std::size_t at = 0;
    while (!path.empty()) {
      const std::string name(path.substr(0, path.find('/')));
      path.remove_prefix(std::min(path.size(), name.size() + 1));
      if (name.empty() || name == "." || name == "..") return std::nullopt;
      const auto [child, fresh] = nodes_[at].children.emplace(name, nodes_.size());
      const std::size_t next = child->second;
      if (fresh) nodes_.push_back({.parent = at, .children = {}});
      at = next;
    }
    return number(at);
  }

  [[nodiscard]] const FilesystemInfo& info() const override { return info_; }
  [[nodiscard]] Inode root() const override { return number(0); }
  [[nodiscard]] Result<Usage> usage() const override { return Usage{.block_size = 4096}; }

  [[nodiscard]] Result<Attributes> stat(Inode inode) const override {
    const Node* const node = TRY(find(inode));
    Attributes attributes;
    attributes.inode = inode;
    attributes.mode = S_IFDIR | 0755;
    attributes.links = static_cast<std::uint32_t>(node->children.size() + 2);
    attributes.block_size = 4096;
    return attributes;
  }

  [[nodiscard]] Result<Inode> lookup(Inode directory, std::string_view name) const override {
    const Node* const node = TRY(find(directory));
    if (name == ".") return directory;
    if (name == "..") return number(node->parent);
    const auto child = node->children.find(name);
    if (child == node->children.end()) return fail(ENOENT, "no '{}'", name);
    return number(child->second);
  }

  [[nodiscard]] Result<void> list(Inode directory, std::uint64_t cookie,
                                  const DirectoryVisitor& visit) const override {
    const Node* const node = TRY(find(directory));
    std::uint64_t next = 0;
    const auto show = [&](std::string_view name, std::size_t index) {
      return ++next <= cookie || visit({.name = name, .inode = number(index), .type = DT_DIR, .next = next});
    };
    if (!show(".", index_of(directory)) || !show("..", node->parent)) return {};
    for (const auto& [name, index] : node->children) {
      if (!show(name, index)) return {};
    }
    return {};
  }

  [[nodiscard]] Result<std::string> readlink(Inode /*inode*/) const override {
    return fail(EINVAL, "not a symbolic link");
  }
  [[nodiscard]] Result<std::shared_ptr<const Source>> open(Inode /*inode*/) const override {
    return fail(EISDIR, "a directory");
  }
  [[nodiscard]] Result<std::vector<std::string>> xattr_names(Inode /*inode*/) const override {
    return std::vector<std::string>{};
  }
  [[nodiscard]] Result<std::string> xattr(Inode /*inode*/, std::string_view /*name*/) const override {
    return fail(ENODATA, "no extended attributes");
  }

 private:
  struct Node {
    std::size_t parent = 0;
    std::map<std::string, std::size_t, std::less<>> children;
  };

  static Inode number(std::size_t index) { return Inode{index + 1}; }
  static std::size_t index_of(Inode inode) { return static_cast<std::size_t>(inode) - 1; }

  [[nodiscard]] Result<const Node*> find(Inode inode) const {
    if (index_of(inode) >= nodes_.size())
      return fail(ESTALE, "no inode {}", static_cast<std::uint64_t>(inode));
    return &nodes_[index_of(inode)];
  }

  FilesystemInfo info_;
  std::vector<Node> nodes_;  ///< the root first
};

}  // namespace

Result<std::shared_ptr<const Filesystem>> all_volumes(const Disk& disk, const Warn& warn) {
  const auto directories = std::make_shared<Directories>();
  const auto tree = std::make_shared<Tree>(directories);
  bool any = false;
  for (const Volume& volume : disk.volumes) {
    if (!volume.filesystem) {
      const bool matters = volume.identity && volume.identity->usage != "other" && !volume.is_member;
      if (matters) warn(fmt::format("{} is not shown: {}", volume.name, volume.error->what));
      continue;
    }
    const auto directory = directories->add(volume.name);
    const auto done = directory ? tree->mount(volume.filesystem, *directory)
                                : Result<void>(fail(EINVAL, "no directory can have this name"));
    if (!done) warn(fmt::format("{} is not shown: {}", volume.name, done.error().what));
    any = any || done;
  }
  if (!any) return fail(EOPNOTSUPP, "no volume can be read");
  return tree;
}

}  // namespace vmfs
