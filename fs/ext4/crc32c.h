// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>

#include "formats/crc32c.h"
#include "formats/endian.h"

namespace vmfs::ext4 {

using vmfs::crc32c;

/// CRC-32C over the bytes of a little-endian integer.
[[nodiscard]] inline std::uint32_t crc32c(std::uint32_t seed, le32 value) {
  return crc32c(seed, std::as_bytes(std::span(&value, 1)));
}

}  // namespace vmfs::ext4
