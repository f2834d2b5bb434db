// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vmfs::xfs {

/// The checksum that XFS stores in a structure: over all of `bytes` with the 4 bytes at `field` taken as
/// zero. REQUIRES: field + 4 <= bytes.size().
[[nodiscard]] std::uint32_t checksum(std::span<const std::byte> bytes, std::size_t field);

}  // namespace vmfs::xfs
