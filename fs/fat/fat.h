// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string_view>

#include "fs/registry.h"

namespace vmfs {

/// Opens a FAT12, FAT16 or FAT32 file system with long names, and shows it as Linux's vfat does by default:
/// all files are root's, mode 0755 (0555 where they are read-only), times are UTC, names are UTF-8 and found
/// in any case. The inode number of a file is the place of its directory entry on the volume, in units of 32
/// bytes; that of the root is 1. Errors: as open_filesystem(); damage is EIO, as in Linux.
[[nodiscard]] Result<std::shared_ptr<const Filesystem>> open_fat(std::shared_ptr<const Source> volume,
                                                                 const FilesystemOptions& options);

/// The same with uid, gid, umask, fmask and dmask as the options of an fstab(5), comma-separated, have them.
/// Words that are none of these have no effect.
[[nodiscard]] Result<std::shared_ptr<const Filesystem>> open_fat_with(std::shared_ptr<const Source> volume,
                                                                      std::string_view mount_options);

}  // namespace vmfs
