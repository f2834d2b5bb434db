// SPDX-License-Identifier: MIT
#include "fs/ext4/inode.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "fs/ext4/disk_inode.h"

namespace vmfs::ext4 {
namespace {

constexpr std::uint32_t boot_loader_inode = 5;

/// Whether the field that ends at `end` is there, by EXT4_FITS_IN_INODE.
bool fits(std::uint32_t extra_size, std::size_t end) {
  return end <= old_inode_size + extra_size;
}

std::uint32_t inode_checksum(std::uint32_t seed, std::span<const std::byte> raw, bool with_high) {
  const std::size_t low = offsetof(DiskInode, i_checksum_lo);
  const std::byte zeros[2]{};
  std::uint32_t sum = crc32c(seed, raw.first(low));
  sum = crc32c(sum, zeros);
  sum = crc32c(sum, raw.subspan(low + 2, old_inode_size - low - 2));
  if (raw.size() == old_inode_size) return sum;
  std::size_t high = offsetof(DiskInode, i_checksum_hi);
  sum = crc32c(sum, raw.subspan(old_inode_size, high - old_inode_size));
  if (with_high) {
    sum = crc32c(sum, zeros);
    high += 2;
  }
  return crc32c(sum, raw.subspan(high));
}

Result<void> check_checksum(const Geometry& geometry, const DiskInode& disk, const InodeRecord& inode,
                            std::span<const std::byte> raw) {
  if (!geometry.checksums() || geometry.creator_os != 0) return {};
  const bool with_high =
      raw.size() > old_inode_size && fits(disk.i_extra_isize, offsetof(DiskInode, i_checksum_hi) + 2);
  std::uint32_t stored = disk.i_checksum_lo;
  if (with_high) stored |= std::uint32_t{disk.i_checksum_hi} << 16;
  std::uint32_t computed = inode_checksum(inode.checksum_seed, raw, with_high);
  if (!with_high) computed &= 0xffff;
  if (stored == computed) return {};
  return fail(EBADMSG, "ext4: inode {}: i_checksum {:#x} should be {:#x}", inode.number, stored, computed);
}

/// Seconds with their epoch bits and nanoseconds: `extra` is the field of that name, 0 where it is absent.
timespec time_of(std::uint32_t seconds, std::uint32_t extra) {
  timespec time{};
  time.tv_sec = static_cast<std::int32_t>(seconds);
  time.tv_sec += static_cast<std::int64_t>(extra & 3) << 32;
  // The field has room for more than a second; programs rely on less.
  time.tv_nsec = std::min<std::int64_t>(extra >> 2, 999'999'999);
  return time;
}

void set_times(Attributes& attributes, const DiskInode& disk, std::uint32_t extra_size) {
  const auto extra = [&](le32 DiskInode::* field, std::size_t offset) {
    return fits(extra_size, offset + 4) ? std::uint32_t{disk.*field} : 0U;
  };
  attributes.changed =
      time_of(disk.i_ctime, extra(&DiskInode::i_ctime_extra, offsetof(DiskInode, i_ctime_extra)));
  attributes.modified =
      time_of(disk.i_mtime, extra(&DiskInode::i_mtime_extra, offsetof(DiskInode, i_mtime_extra)));
  attributes.accessed =
      time_of(disk.i_atime, extra(&DiskInode::i_atime_extra, offsetof(DiskInode, i_atime_extra)));
  if (fits(extra_size, offsetof(DiskInode, i_crtime) + 4))
    attributes.born =
        time_of(disk.i_crtime, extra(&DiskInode::i_crtime_extra, offsetof(DiskInode, i_crtime_extra)));
}

/// The device of a special file: i_block[0] in the old encoding of 16 bits, else i_block[1] in the new one.
dev_t device_of(const InodeRecord& inode) {
  const std::uint32_t old = from_bytes<le32>(inode.i_block);
  if (old != 0) return makedev((old >> 8) & 0xff, old & 0xff);
  const std::uint32_t value = from_bytes<le32>(std::span(inode.i_block).subspan(4));
  return makedev((value & 0xfff00) >> 8, (value & 0xff) | ((value >> 12) & 0xfff00));
}

std::uint64_t sectors_of(const Geometry& geometry, const DiskInode& disk, const InodeRecord& inode) {
  std::uint64_t blocks = disk.i_blocks_lo;
  if (geometry.has(ro_compat_huge_file)) {
    blocks |= std::uint64_t{disk.i_blocks_high} << 32;
    if (inode.has(flag_huge_file)) blocks *= geometry.block_size / 512;
  }
  return blocks;
}

Result<void> check_size(const Geometry& geometry, const InodeRecord& inode) {
  // The kernel's s_maxbytes: one block less than 32-bit block numbers can count.
  const std::uint64_t limit =
      std::min<std::uint64_t>(std::uint64_t{0xffffffff} * geometry.block_size, INT64_MAX);
  if (inode.attributes.size <= limit) return {};
  return fail(EUCLEAN, "ext4: inode {}: i_size {} > {}", inode.number, inode.attributes.size, limit);
}

Result<void> check_type(const Geometry& geometry, const InodeRecord& inode) {
  if (inode.has(flag_casefold) && !geometry.has(incompat_casefold))
    return fail(EUCLEAN, "ext4: inode {}: casefold flag without the feature", inode.number);
  if (inode.has(flag_inline_data) && inode.has(flag_extents))
    return fail(EUCLEAN, "ext4: inode {}: flags for inline data and for extents", inode.number);
  if (inode.has(flag_index) && !geometry.has(compat_dir_index) && geometry.checksums())
    return fail(EUCLEAN, "ext4: inode {}: indexed directory without feature dir_index", inode.number);
  switch (inode.attributes.mode & S_IFMT) {
    case S_IFLNK:
      if (!inode.has(flag_append) && !inode.has(flag_immutable)) return {};
      return fail(EUCLEAN, "ext4: inode {}: append or immutable flag on a symbolic link", inode.number);
    case S_IFREG:
    case S_IFDIR:
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
      return {};
    default:
      return fail(EUCLEAN, "ext4: inode {}: i_mode {:#o}", inode.number, inode.attributes.mode);
  }
}

void set_attributes(const Geometry& geometry, const DiskInode& disk, InodeRecord& inode) {
  Attributes& attributes = inode.attributes;
  attributes.inode = Inode{inode.number};
  attributes.links = disk.i_links_count;
  attributes.uid = disk.i_uid | std::uint32_t{disk.i_uid_high} << 16;
  attributes.gid = disk.i_gid | std::uint32_t{disk.i_gid_high} << 16;
  attributes.size = disk.i_size_lo;
  if (inode.is(S_IFREG) || geometry.has(incompat_largedir))
    attributes.size |= std::uint64_t{disk.i_size_high} << 32;
  attributes.blocks = sectors_of(geometry, disk, inode);
  attributes.block_size = geometry.block_size;
  attributes.generation = disk.i_generation;
  set_times(attributes, disk, inode.extra_size);
  if (inode.is(S_IFCHR) || inode.is(S_IFBLK)) attributes.device = device_of(inode);
}

/// As the kernel: no attributes lie behind fields that are not there, nor where only their end would fit.
std::size_t attributes_offset(const Geometry& geometry, std::uint32_t extra_size) {
  constexpr std::size_t header_and_end = 8;
  const std::size_t offset = old_inode_size + extra_size;
  return extra_size != 0 && offset + header_and_end <= geometry.inode_size ? offset : 0;
}

Result<void> set_extra_size(const Geometry& geometry, const DiskInode& disk, InodeRecord& inode) {
  if (geometry.inode_size == old_inode_size) return {};
  inode.extra_size = disk.i_extra_isize;
  if (inode.extra_size > geometry.inode_size - old_inode_size || inode.extra_size % 4 != 0)
    return fail(EUCLEAN, "ext4: inode {}: i_extra_isize {} with inodes of {}", inode.number, inode.extra_size,
                geometry.inode_size);
  return {};
}

}  // namespace

void set_inode_checksum(const Geometry& geometry, std::uint32_t number, std::span<std::byte> raw) {
  if (!geometry.checksums() || geometry.creator_os != 0) return;
  DiskInode disk{};
  std::memcpy(&disk, raw.data(), std::min(raw.size(), sizeof disk));
  const bool with_high =
      raw.size() > old_inode_size && fits(disk.i_extra_isize, offsetof(DiskInode, i_checksum_hi) + 2);
  const std::uint32_t seed = crc32c(crc32c(geometry.checksum_seed, le32{number}), disk.i_generation);
  const std::uint32_t checksum = inode_checksum(seed, raw, with_high);
  disk.i_checksum_lo = static_cast<std::uint16_t>(checksum);
  if (with_high) disk.i_checksum_hi = static_cast<std::uint16_t>(checksum >> 16);
  std::memcpy(raw.data(), &disk, std::min(raw.size(), sizeof disk));
}

Result<std::uint64_t> inode_offset(const Volume& volume, std::uint32_t number) {
  const Geometry& geometry = volume.geometry();
  if (number == 0 || number > geometry.inode_count)
    return fail(EUCLEAN, "ext4: inode {} of {}", number, geometry.inode_count);
  const std::uint32_t group = (number - 1) / geometry.inodes_per_group;
  const std::uint64_t offset = std::uint64_t{(number - 1) % geometry.inodes_per_group} * geometry.inode_size;
  const std::uint64_t table = std::to_underlying(volume.handle().inode_table(group));
  if (!geometry.contains(table, 1 + offset / geometry.block_size))
    return fail(EUCLEAN, "ext4: group {}: inode table at block {} of {}", group, table, geometry.block_count);
  return table * geometry.block_size + offset;
}

Result<std::span<const std::byte>> raw_inode(Workspace& workspace, std::uint32_t number) {
  const Geometry& geometry = workspace.volume().geometry();
  const std::uint64_t offset = TRY(inode_offset(workspace.volume(), number));
  const CachedBlock block = TRY(workspace.block(Block{offset / geometry.block_size}));
  return block.bytes.subspan(offset % geometry.block_size, geometry.inode_size);
}

Result<InodeRecord> read_inode(Workspace& workspace, std::uint32_t number) {
  const Geometry& geometry = workspace.volume().geometry();
  const auto raw = TRY(raw_inode(workspace, number));
  DiskInode disk{};
  std::memcpy(&disk, raw.data(), std::min(raw.size(), sizeof disk));
  if (disk.i_mode == 0 && disk.i_links_count == 0)
    return fail(ESTALE, "ext4: inode {} is not in use", number);

  InodeRecord inode;
  inode.number = number;
  TRY(set_extra_size(geometry, disk, inode));
  inode.checksum_seed = crc32c(crc32c(geometry.checksum_seed, le32{number}), disk.i_generation);
  TRY(check_checksum(geometry, disk, inode, raw));
  if (disk.i_links_count == 0 && number != boot_loader_inode)
    return fail(ESTALE, "ext4: inode {} is deleted", number);
  inode.attributes_offset = attributes_offset(geometry, inode.extra_size);
  // As the kernel: an extra size of zero says that nobody used the space yet, it reads as the fields'
  // defaults.
  if (geometry.inode_size > old_inode_size && inode.extra_size == 0) inode.extra_size = 32;

  inode.flags = disk.i_flags;
  inode.i_block = disk.i_block;
  inode.attribute_block = disk.i_file_acl_lo;
  if (geometry.has(incompat_64bit)) inode.attribute_block |= std::uint64_t{disk.i_file_acl_high} << 32;
  inode.attributes.mode = disk.i_mode;
  set_attributes(geometry, disk, inode);
  TRY(check_size(geometry, inode));
  TRY(check_type(geometry, inode));
  return inode;
}

Result<InodeRecord> read_user_inode(Workspace& workspace, Inode inode) {
  const Geometry& geometry = workspace.volume().geometry();
  const std::uint64_t number = std::to_underlying(inode);
  if (number > geometry.inode_count || (number < geometry.first_inode && number != root_inode))
    return fail(ESTALE, "ext4: there is no file with inode {}", number);
  auto record = TRY(read_inode(workspace, static_cast<std::uint32_t>(number)));
  if (record.has(flag_ea_inode))
    return fail(EUCLEAN, "ext4: inode {} holds an extended attribute, it is no file", number);
  return record;
}

bool is_fast_symlink(const Geometry& geometry, const InodeRecord& inode) {
  if (!inode.is(S_IFLNK)) return false;
  if (geometry.has(incompat_ea_inode))
    return inode.attributes.size != 0 && inode.attributes.size < sizeof inode.i_block;
  if (inode.has(flag_inline_data)) return false;
  const std::uint64_t of_attributes =
      inode.attribute_block != 0 ? std::uint64_t{geometry.cluster_ratio} * geometry.block_size / 512 : 0;
  return inode.attributes.blocks == of_attributes;
}

}  // namespace vmfs::ext4
