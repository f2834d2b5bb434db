// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fs/ext4/inode.h"

namespace vmfs::ext4 {

/// Filesystem::xattr_names() and Filesystem::xattr().
[[nodiscard]] Result<std::vector<std::string>> attribute_names(Workspace& workspace,
                                                               const InodeRecord& inode);
[[nodiscard]] Result<std::string> attribute_value(Workspace& workspace, const InodeRecord& inode,
                                                  std::string_view name);

/// The part of an inode's inline data that does not lie in i_block: the value of system.data in the inode.
/// Valid as CachedBlock says. Errors: EUCLEAN (there is none), EIO.
[[nodiscard]] Result<std::span<const std::byte>> inline_rest(Workspace& workspace, const InodeRecord& inode);

/// A POSIX ACL from its form on disk to that of system.posix_acl_access. Errors: EINVAL as the kernel's.
[[nodiscard]] Result<std::string> acl_from_disk(std::span<const std::byte> disk);

}  // namespace vmfs::ext4
