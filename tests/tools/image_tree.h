// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cerrno>

#include <sys/stat.h>

#include "tests/tools/tree.h"

namespace vmfs::tests {

/// read(2) goes through the page cache, which remembers of damage only that there was some.
inline Error through_page_cache(Error error) {
  if (error.code == EUCLEAN || error.code == EBADMSG) error.code = EIO;
  return error;
}

/// A regular file read through its source.
class ImageContent final : public Content {
 public:
  explicit ImageContent(std::shared_ptr<const Source> source) : source_(std::move(source)) {}

  [[nodiscard]] Result<std::vector<Run>> data_runs() override {
    std::vector<Run> runs;
    for (std::uint64_t offset = 0; offset < source_->size();) {
      const Extent extent = TRY(source_->map(offset, source_->size() - offset));
      if (extent.kind != Extent::Kind::zero) add_data(runs, offset, extent.length);
      offset += extent.length;
    }
    return runs;
  }

  [[nodiscard]] Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) override {
    if (offset >= source_->size()) return 0;
    const std::size_t length = std::min<std::uint64_t>(into.size(), source_->size() - offset);
    if (auto done = vmfs::read(*source_, offset, into.first(length)); !done) {
      return std::unexpected(through_page_cache(done.error()));
    }
    return length;
  }

 private:
  const std::shared_ptr<const Source> source_;
};

/// A file of a file system that our own reader opened, with what the kernel's VFS adds to every file system.
class ImageNode final : public Node {
 public:
  ImageNode(std::shared_ptr<const Filesystem> filesystem, Result<Inode> inode)
      : filesystem_(std::move(filesystem)), inode_(std::move(inode)) {}

  [[nodiscard]] Result<Attributes> stat() override {
    if (!inode_) return std::unexpected(inode_.error());
    auto found = TRY(filesystem_->stat(*inode_));
    mode_ = found.mode;
    return found;
  }

  [[nodiscard]] Result<void> list(std::vector<Child>& children) override {
    return filesystem_->list(inode(), 0, [&](const DirectoryEntry& entry) {
      if (entry.name != "." && entry.name != "..") {
        children.push_back({.name = std::string(entry.name),
                            .inode = static_cast<std::uint64_t>(entry.inode),
                            .type = entry.type});
      }
      return true;
    });
  }

  [[nodiscard]] Result<std::unique_ptr<Node>> child(const std::string& name) override {
    return std::make_unique<ImageNode>(filesystem_, filesystem_->lookup(inode(), name));
  }

  [[nodiscard]] Result<std::string> readlink() override { return filesystem_->readlink(inode()); }

  [[nodiscard]] Result<std::vector<std::string>> xattr_names() override {
    return filesystem_->xattr_names(inode());
  }

  [[nodiscard]] Result<std::string> xattr(const std::string& name) override {
    // xattr_permission(): user attributes of anything but files and directories are listed but not given
    if (name.starts_with("user.") && !S_ISREG(mode_) && !S_ISDIR(mode_)) return fail(ENODATA, "{}", name);
    return filesystem_->xattr(inode(), name);
  }

  [[nodiscard]] Result<std::unique_ptr<Content>> open() override {
    auto source = filesystem_->open(inode());
    if (!source) return std::unexpected(through_page_cache(source.error()));
    return std::make_unique<ImageContent>(*std::move(source));
  }

  [[nodiscard]] Result<Space> space() override {
    const Usage usage = TRY(filesystem_->usage());
    return Space{.block_size = usage.block_size,
                 .blocks = usage.blocks,
                 .blocks_free = usage.blocks_free,
                 .blocks_available = usage.blocks_available,
                 .files = usage.files,
                 .files_free = usage.files_free,
                 .name_max = usage.name_max};
  }

  [[nodiscard]] bool same_filesystem(const Node& /*parent*/) const override { return true; }

 private:
  // Whoever calls anything but stat() has seen stat() succeed.
  [[nodiscard]] Inode inode() const { return *inode_; }

  const std::shared_ptr<const Filesystem> filesystem_;
  const Result<Inode> inode_;
  mode_t mode_ = 0;  // known after stat()
};

}  // namespace vmfs::tests
