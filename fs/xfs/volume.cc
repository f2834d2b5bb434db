// SPDX-License-Identifier: MIT
#include "fs/xfs/volume.h"

#include "fs/xfs/checksum.h"

namespace vmfs::xfs {

Result<void> check_self(const Volume& volume, std::span<const std::byte> bytes, const SelfDescription& self,
                        std::uint64_t offset, std::uint64_t owner, const std::string& what) {
  if (volume.check_crc) {
    const std::uint32_t sum = checksum(bytes, self.crc_field);
    if (sum != self.crc) return corrupt("{}: crc {:#010x}, computed {:#010x}", what, self.crc, sum);
  }
  if (self.uuid != volume.geometry.meta_uuid) return corrupt("{}: uuid of another file system", what);
  if (self.blkno != offset / 512) return corrupt("{}: blkno {} at {}", what, self.blkno, offset / 512);
  if (self.owner != owner) return corrupt("{}: owner {}", what, self.owner);
  return {};
}

}  // namespace vmfs::xfs
