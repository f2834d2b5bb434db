// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vmfs {

/// CRC-32C of `bytes`, continuing from `crc` (not inverted at either end). By the processor's own instruction
/// where it has one: every inode that is read passes here.
[[nodiscard]] std::uint32_t crc32c(std::uint32_t crc, std::span<const std::byte> bytes);

/// The same by a table, on every processor.
[[nodiscard]] std::uint32_t crc32c_by_table(std::uint32_t crc, std::span<const std::byte> bytes);

}  // namespace vmfs
