// SPDX-License-Identifier: MIT
#include "fs/ext4/file.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include "fs/ext4/block_map.h"
#include "fs/ext4/names.h"
#include "fs/ext4/xattr.h"

namespace vmfs::ext4 {
namespace {

/// The contents of a file through its block map, which is walked on each call.
class MappedFile final : public Source {
 public:
  MappedFile(const Volume& volume, const InodeRecord& inode)
      : Source(inode.attributes.size), volume_(volume), inode_(inode) {}

 private:
  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override {
    const std::uint64_t block_size = volume_.geometry().block_size;
    const std::uint64_t skip = offset % block_size;
    const std::uint64_t blocks = (skip + max_length - 1) / block_size + 1;
    const Volume::Lease workspace(volume_);
    const Run run = TRY(map_blocks(*workspace, inode_, offset / block_size, blocks));
    const std::uint64_t length = std::min(max_length, run.length * block_size - skip);
    if (run.hole) return Extent::zero(length);
    return volume_.source().map(run.first * block_size + skip, length);
  }

  const Volume& volume_;
  const InodeRecord inode_;
};

/// Contents that lie in the inode, and zeros where the size says more than that.
class InlineFile final : public Source {
 public:
  InlineFile(std::uint64_t size, std::vector<std::byte> bytes) : Source(size), bytes_(std::move(bytes)) {}

 private:
  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override {
    if (offset >= bytes_.size()) return Extent::zero(max_length);
    return Extent::encoded(*this, offset, std::min(max_length, bytes_.size() - offset));
  }

  [[nodiscard]] Result<void> do_decode(std::uint64_t offset, std::span<std::byte> into) const override {
    if (offset > bytes_.size() || into.size() > bytes_.size() - offset)
      return fail(EINVAL, "decode of {} bytes at {} of {}", into.size(), offset, bytes_.size());
    std::ranges::copy(std::span(bytes_).subspan(static_cast<std::size_t>(offset), into.size()), into.begin());
    return {};
  }

  const std::vector<std::byte> bytes_;
};

Result<std::vector<std::byte>> inline_contents(Workspace& workspace, const InodeRecord& inode) {
  std::vector<std::byte> bytes(inode.i_block.begin(), inode.i_block.end());
  const auto rest = TRY(inline_rest(workspace, inode));
  bytes.insert(bytes.end(), rest.begin(), rest.end());
  bytes.resize(std::min<std::uint64_t>(bytes.size(), inode.attributes.size));
  return bytes;
}

/// The bytes of a link's target as they lie on disk.
Result<std::vector<std::byte>> link_bytes(Workspace& workspace, const InodeRecord& inode) {
  const Geometry& geometry = workspace.volume().geometry();
  const std::uint64_t size = inode.attributes.size;
  if (is_fast_symlink(geometry, inode)) {
    // As the kernel: an encrypted target brings its length, i_size does not count.
    if (inode.has(flag_encrypt)) return std::vector(inode.i_block.begin(), inode.i_block.end());
    if (size == 0 || size >= sizeof inode.i_block)
      return fail(EUCLEAN, "ext4: inode {}: symbolic link of {} bytes in the inode", inode.number, size);
    return std::vector(inode.i_block.begin(), inode.i_block.begin() + static_cast<std::ptrdiff_t>(size));
  }
  if (inode.has(flag_inline_data)) return inline_contents(workspace, inode);
  if (size == 0) return fail(EUCLEAN, "ext4: inode {}: symbolic link of 0 bytes", inode.number);
  // As the kernel: what does not fit a block with a final zero is cut off, but an encrypted link knows its
  // length.
  const std::uint64_t length =
      inode.has(flag_encrypt) ? geometry.block_size : std::min<std::uint64_t>(size, geometry.block_size - 1);
  std::vector<std::byte> bytes(static_cast<std::size_t>(length));
  TRY(read_contents(workspace, inode, 0, bytes));
  return bytes;
}

/// struct fscrypt_symlink_data: a length, then the encrypted target.
Result<std::string> no_key_link(const InodeRecord& inode, std::string_view bytes) {
  const auto raw = std::as_bytes(std::span(bytes));
  const std::size_t length = raw.size() > sizeof(le16) ? std::size_t{from_bytes<le16>(raw)} : 0;
  if (length == 0 || length > raw.size() - sizeof(le16))
    return fail(EUCLEAN, "ext4: inode {}: encrypted symbolic link of {} bytes", inode.number, length);
  auto name = no_key_name({}, bytes.substr(sizeof(le16), length));
  if (name) return *std::move(name);
  return fail(EUCLEAN, "ext4: inode {}: encrypted symbolic link of {} bytes", inode.number, length);
}

}  // namespace

Result<std::shared_ptr<const Source>> open_file(Workspace& workspace, const InodeRecord& inode) {
  if (inode.has(flag_encrypt))
    return fail(ENOKEY, "ext4: inode {} is encrypted and its key is not known", inode.number);
  if (!inode.has(flag_inline_data)) return std::make_shared<MappedFile>(workspace.volume(), inode);
  auto bytes = TRY(inline_contents(workspace, inode));
  return std::make_shared<InlineFile>(inode.attributes.size, std::move(bytes));
}

Result<void> read_contents(Workspace& workspace, const InodeRecord& inode, std::uint64_t offset,
                           std::span<std::byte> into) {
  const std::uint64_t block_size = workspace.volume().geometry().block_size;
  while (!into.empty()) {
    const std::uint64_t skip = offset % block_size;
    const std::uint64_t blocks = (skip + into.size() - 1) / block_size + 1;
    const Run run = TRY(map_blocks(workspace, inode, offset / block_size, blocks));
    const auto part = into.first(std::min<std::uint64_t>(into.size(), run.length * block_size - skip));
    if (run.hole) {
      std::ranges::fill(part, std::byte{0});
    } else {
      TRY(read(workspace.volume().source(), run.first * block_size + skip, part));
    }
    into = into.subspan(part.size());
    offset += part.size();
  }
  return {};
}

Result<std::string> read_link(Workspace& workspace, const InodeRecord& inode) {
  const auto bytes = TRY(link_bytes(workspace, inode));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (inode.has(flag_encrypt)) return no_key_link(inode, text);
  // The kernel hands out a C string.
  std::string target(text.substr(0, text.find('\0')));
  if (!target.empty()) return target;
  return fail(EUCLEAN, "ext4: inode {}: empty symbolic link", inode.number);
}

}  // namespace vmfs::ext4
