// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <sys/stat.h>

#include "fs/ext4/volume.h"
#include "fs/filesystem.h"

namespace vmfs::ext4 {

enum InodeFlag : std::uint32_t {
  flag_immutable = 0x10,
  flag_append = 0x20,
  flag_encrypt = 0x800,
  flag_index = 0x1000,
  flag_huge_file = 0x40000,
  flag_extents = 0x80000,
  flag_ea_inode = 0x200000,
  flag_inline_data = 0x10000000,
  flag_casefold = 0x40000000,
};

constexpr std::uint32_t root_inode = 2;

/// An inode whose fields were checked as the kernel checks them when it loads one.
struct InodeRecord {
  std::uint32_t number = 0;
  std::uint32_t flags = 0;
  std::uint32_t checksum_seed = 0;  ///< of the blocks that belong to the inode
  std::uint32_t extra_size = 0;     ///< bytes of fields behind the first 128
  std::uint64_t attribute_block = 0;
  std::size_t attributes_offset = 0;  ///< of the attributes in the inode, 0 where there can be none
  std::array<std::byte, 60> i_block{};
  Attributes attributes;

  [[nodiscard]] bool has(InodeFlag flag) const { return (flags & flag) != 0; }
  [[nodiscard]] bool is(mode_t type) const { return (attributes.mode & S_IFMT) == type; }
};

/// Reads and checks an inode. Errors: EUCLEAN (no such number, fields that contradict each other), EBADMSG
/// (checksum), ESTALE (not in use), EIO.
[[nodiscard]] Result<InodeRecord> read_inode(Workspace& workspace, std::uint32_t number);

/// As read_inode(), for the number a caller gave: ESTALE where it is none of a file that users see.
[[nodiscard]] Result<InodeRecord> read_user_inode(Workspace& workspace, Inode inode);

/// Where an inode begins on the volume, in bytes. Errors: EUCLEAN.
[[nodiscard]] Result<std::uint64_t> inode_offset(const Volume& volume, std::uint32_t number);

/// Makes the checksum in the bytes of an inode right, where inodes carry one.
void set_inode_checksum(const Geometry& geometry, std::uint32_t number, std::span<std::byte> raw);

/// The bytes of an inode as they lie on disk, valid as CachedBlock says. Errors: EUCLEAN, EIO.
[[nodiscard]] Result<std::span<const std::byte>> raw_inode(Workspace& workspace, std::uint32_t number);

/// Whether a symbolic link's target lies in i_block.
[[nodiscard]] bool is_fast_symlink(const Geometry& geometry, const InodeRecord& inode);

}  // namespace vmfs::ext4
