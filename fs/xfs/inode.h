// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "fs/filesystem.h"
#include "fs/xfs/volume.h"

namespace vmfs::xfs {

/// One of the two forks of an inode: what its bytes inside the inode mean.
struct Fork {
  ForkFormat format = ForkFormat::extents;
  std::uint64_t extents = 0;
  std::span<const std::byte> bytes{};  ///< of the inode
};

/// A checked inode. `block` holds the bytes that the forks point into.
struct InodeCore {
  std::uint64_t number = 0;
  std::uint32_t mode = 0;
  std::uint32_t links = 0;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t generation = 0;
  std::uint64_t size = 0;
  std::uint64_t blocks = 0;  ///< of the file system, of both forks
  std::uint32_t extent_size = 0;
  bool realtime = false;
  timespec accessed{};
  timespec modified{};
  timespec changed{};
  timespec born{};
  Fork data;
  Fork attr;  ///< no bytes: there are no attributes
  Block block;
};

/// Reads inode `number`. Its neighbours are read along and kept, for they are asked for next.
/// Errors: EUCLEAN, ESTALE (not in use, or a number that cannot be), EIO.
[[nodiscard]] Result<InodeCore> read_inode(const Volume& volume, std::uint64_t number);

/// What stat(2) says of it.
[[nodiscard]] Attributes attributes_of(const Volume& volume, const InodeCore& inode);

}  // namespace vmfs::xfs
