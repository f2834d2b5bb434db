// SPDX-License-Identifier: MIT
#pragma once

#include <cerrno>
#include <cstdint>
#include <memory>

#include "formats/source.h"
#include "fs/xfs/cache.h"
#include "fs/xfs/finished.h"
#include "fs/xfs/superblock.h"

namespace vmfs::xfs {

/// The error for damage: EUCLEAN, as the kernel gives for bad checksums too (xfs_buf_read_map()).
template <class... Arguments>
[[nodiscard]] std::unexpected<Error> corrupt(fmt::format_string<Arguments...> format,
                                             Arguments&&... arguments) {
  return fail(EUCLEAN, "xfs: {}", fmt::format(format, std::forward<Arguments>(arguments)...));
}

/// What every reader of this file system works on: where the bytes are, how they are laid out, and the blocks
/// read last. Immutable but for the cache.
struct Volume {
  std::shared_ptr<const Source> source;
  Geometry geometry;
  BlockCache cache;
  bool check_crc = true;
  FinishedInodes finished;

  Volume(std::shared_ptr<const Source> bytes, Geometry layout, std::size_t cached_size, bool crc)
      : source(std::move(bytes)), geometry(std::move(layout)), cache(cached_size), check_crc(crc) {}
};

/// What a version 5 structure says of itself, and where in it.
struct SelfDescription {
  std::size_t crc_field = 0;  ///< offset of the checksum
  std::uint32_t crc = 0;
  std::uint64_t blkno = 0;  ///< in units of 512 bytes
  std::uint64_t owner = 0;
  Uuid uuid{};
};

/// Checks a version 5 block that was read at `offset` of the volume and belongs to inode `owner`.
/// Errors: EUCLEAN; `what` names the block.
[[nodiscard]] Result<void> check_self(const Volume& volume, std::span<const std::byte> bytes,
                                      const SelfDescription& self, std::uint64_t offset, std::uint64_t owner,
                                      const std::string& what);

}  // namespace vmfs::xfs
