// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fs/filesystem.h"

namespace vmfs {

/// What the first blocks of a volume say it is, whether we can read it or not.
struct VolumeIdentity {
  std::string
      type;  ///< blkid's TYPE: "ext4", "xfs", "btrfs", "vfat", "swap", "LVM2_member", "crypto_LUKS", ...
  std::string usage;      ///< blkid's USAGE: "filesystem", "raid", "crypto", "other"
  bool readable = false;  ///< whether open_filesystem() has a reader for it
};

/// Finds out what lies on a volume by its magic numbers. Reads a few blocks; nothing found is no error.
/// Errors: EIO.
[[nodiscard]] Result<std::optional<VolumeIdentity>> identify_volume(const Source& volume);

/// Whether open_filesystem() has a reader for volumes of this type.
[[nodiscard]] bool has_reader(std::string_view type);

/// How to open a file system.
struct FilesystemOptions {
  bool recover = true;  ///< replay a journal in memory; false (`--norecovery`): read the disk as it is
  Warn warn = [](const std::string&) {};
  /// Volumes on which an external journal may lie (VolumeIdentity::type "jbd").
  std::vector<std::shared_ptr<const Source>> journals = {};
};

/// Opens the file system on a volume.
/// Errors: EOPNOTSUPP for a kind or feature we cannot read, by name; EUCLEAN for damage that leaves nothing
/// to read; EINVAL where no file system is found.
[[nodiscard]] Result<std::shared_ptr<const Filesystem>> open_filesystem(std::shared_ptr<const Source> volume,
                                                                        const FilesystemOptions& options);

/// The same for a volume that is known to be of this type (VolumeIdentity::type).
[[nodiscard]] Result<std::shared_ptr<const Filesystem>> open_filesystem(std::shared_ptr<const Source> volume,
                                                                        std::string_view type,
                                                                        const FilesystemOptions& options);

}  // namespace vmfs
