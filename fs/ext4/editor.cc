// SPDX-License-Identifier: MIT
#include "fs/ext4/editor.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "fs/ext4/inode.h"

namespace vmfs::ext4 {

Editor::Editor(std::shared_ptr<OverlaySource> overlay, const Geometry& geometry, Handle handle)
    : overlay_(std::move(overlay)),
      volume_(std::make_unique<const Volume>(overlay_, geometry, std::move(handle))) {}

Result<Editor> Editor::open(std::shared_ptr<OverlaySource> overlay, const Geometry& geometry) {
  Handle handle = TRY(Handle::open(*overlay, geometry.block_size));
  return Editor(std::move(overlay), geometry, std::move(handle));
}

Result<std::vector<std::byte>> Editor::block(std::uint64_t number) const {
  if (!geometry().contains(number, 1))
    return fail(EUCLEAN, "ext4: metadata block {} is not inside the {} blocks there are", number,
                geometry().block_count);
  std::vector<std::byte> bytes(geometry().block_size);
  TRY(read(*overlay_, number * geometry().block_size, bytes));
  return bytes;
}

Result<void> Editor::put_block(std::uint64_t number, std::vector<std::byte> bytes) {
  return overlay_->put(number * geometry().block_size, std::move(bytes));
}

Result<std::vector<std::byte>> Editor::inode(std::uint32_t number) const {
  std::vector<std::byte> bytes(geometry().inode_size);
  const std::uint64_t offset = TRY(inode_offset(*volume_, number));
  TRY(read(*overlay_, offset, bytes));
  return bytes;
}

Result<void> Editor::put_inode(std::uint32_t number, std::vector<std::byte> bytes) {
  set_inode_checksum(geometry(), number, bytes);
  const std::uint64_t offset = TRY(inode_offset(*volume_, number));
  return overlay_->put(offset, std::move(bytes));
}

DiskInode fields_of(std::span<const std::byte> inode) {
  DiskInode fields{};
  std::memcpy(&fields, inode.data(), std::min(inode.size(), sizeof fields));
  return fields;
}

void set_fields(std::span<std::byte> inode, const DiskInode& fields) {
  std::memcpy(inode.data(), &fields, std::min(inode.size(), sizeof fields));
}

std::uint64_t blocks_of(const Geometry& geometry, const DiskInode& fields) {
  std::uint64_t count = fields.i_blocks_lo;
  if (geometry.has(ro_compat_huge_file)) {
    count |= std::uint64_t{fields.i_blocks_high} << 32;
    if ((fields.i_flags & flag_huge_file) != 0) return count;
  }
  return count / (geometry.block_size / 512);
}

void set_blocks(const Geometry& geometry, DiskInode& fields, std::uint64_t blocks) {
  const bool huge = geometry.has(ro_compat_huge_file) && (fields.i_flags & flag_huge_file) != 0;
  const std::uint64_t count = huge ? blocks : blocks * (geometry.block_size / 512);
  fields.i_blocks_lo = static_cast<std::uint32_t>(count);
  if (geometry.has(ro_compat_huge_file)) fields.i_blocks_high = static_cast<std::uint16_t>(count >> 32);
}

}  // namespace vmfs::ext4
