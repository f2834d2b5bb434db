// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "fs/registry.h"

namespace vmfs {

/// Opens an ext2, ext3 or ext4 file system through libext2fs. Errors as open_filesystem().
[[nodiscard]] Result<std::shared_ptr<const Filesystem>> open_ext4(std::shared_ptr<const Source> volume,
                                                                  const FilesystemOptions& options);

}  // namespace vmfs
