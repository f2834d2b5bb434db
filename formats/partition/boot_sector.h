// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "formats/source.h"

namespace vmfs {

/// A file system whose first sector ends with the same 55 AA as a partition table does.
enum class BootSector : std::uint8_t { none, vfat, exfat, ntfs };

/// Whether the first sectors belong to a FAT, exFAT or NTFS file system, by their parameters and not by their
/// magic alone. Errors: EIO.
[[nodiscard]] Result<BootSector> identify_boot_sector(const Source& volume);

}  // namespace vmfs
