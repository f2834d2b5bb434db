// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "fs/registry.h"

namespace vmfs {

/// Opens an XFS file system (version 4 or 5). Errors as open_filesystem().
[[nodiscard]] Result<std::shared_ptr<const Filesystem>> open_xfs(std::shared_ptr<const Source> volume,
                                                                 const FilesystemOptions& options);

/// The same without a look at checksums, for tests that change structures at random.
[[nodiscard]] Result<std::shared_ptr<const Filesystem>> open_xfs_without_checksums(
    std::shared_ptr<const Source> volume, const FilesystemOptions& options);

}  // namespace vmfs
