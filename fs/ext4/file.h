// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "fs/ext4/inode.h"

namespace vmfs::ext4 {

/// The contents of an inode that is a regular file, as a source of exactly its size. `volume` must outlive
/// it. Errors: ENOKEY (encrypted), EUCLEAN, EIO.
[[nodiscard]] Result<std::shared_ptr<const Source>> open_file(Workspace& workspace, const InodeRecord& inode);

/// Reads the bytes that an inode's block map names, whatever the kind of inode; those not inside its size as
/// zeros. Errors: EUCLEAN, EIO.
[[nodiscard]] Result<void> read_contents(Workspace& workspace, const InodeRecord& inode, std::uint64_t offset,
                                         std::span<std::byte> into);

/// Filesystem::readlink() for an inode that is a symbolic link.
[[nodiscard]] Result<std::string> read_link(Workspace& workspace, const InodeRecord& inode);

}  // namespace vmfs::ext4
