// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string_view>

#include "fs/filesystem.h"
#include "fs/xfs/bmap.h"

namespace vmfs::xfs {

/// As Filesystem::lookup(), in `directory`, which is one.
[[nodiscard]] Result<Inode> lookup_name(const Volume& volume, const InodeCore& directory,
                                        std::string_view name);

/// As Filesystem::list(). A cookie is the entry's place in the directory's address space plus one, for every
/// shape alike.
[[nodiscard]] Result<void> list_directory(const Volume& volume, const InodeCore& directory,
                                          std::uint64_t cookie, const DirectoryVisitor& visit);

}  // namespace vmfs::xfs
