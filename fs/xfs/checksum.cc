// SPDX-License-Identifier: MIT
#include "fs/xfs/checksum.h"

#include <array>

#include "formats/crc32c.h"

namespace vmfs::xfs {

std::uint32_t checksum(std::span<const std::byte> bytes, std::size_t field) {
  constexpr std::array<std::byte, 4> zero{};
  std::uint32_t crc = crc32c(~0U, bytes.first(field));
  crc = crc32c(crc, zero);
  return ~crc32c(crc, bytes.subspan(field + zero.size()));
}

}  // namespace vmfs::xfs
