// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "fs/ext4/directory.h"

namespace vmfs::ext4 {

/// Whether a directory index was usable, and what it found.
struct IndexAnswer {
  bool usable = false;                 ///< false: search block by block, as the kernel does
  std::optional<std::uint32_t> inode;  ///< nothing: there is no such name
};

/// Looks a name up through the hash tree of a directory with the index flag.
/// Errors: EBADMSG (checksum of a block on the way), EUCLEAN, EIO.
[[nodiscard]] Result<IndexAnswer> find_by_index(Workspace& workspace, const InodeRecord& directory,
                                                const WantedName& wanted);

/// The block of a directory in which the index looks for a name first; nothing where the index is not usable.
/// Errors: EBADMSG, EUCLEAN, EIO.
[[nodiscard]] Result<std::optional<std::uint32_t>> leaf_for(Workspace& workspace,
                                                            const InodeRecord& directory,
                                                            const WantedName& wanted);

/// The hash by which the index of a directory orders names; nothing where its root is not usable.
/// Errors: EBADMSG, EUCLEAN, EIO.
[[nodiscard]] Result<std::optional<std::uint8_t>> index_hash_version(Workspace& workspace,
                                                                     const InodeRecord& directory);

/// Verifies the checksum of a block of the index, root or node. Errors: EBADMSG, EUCLEAN.
[[nodiscard]] Result<void> check_index_block(const Geometry& geometry, const InodeRecord& directory,
                                             std::span<const std::byte> block);

}  // namespace vmfs::ext4
