// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "fs/xfs/superblock.h"

namespace vmfs::xfs {

/// Where a version 5 metadata block says what it is, by its magic number.
struct SelfFields {
  std::size_t crc = 0;
  std::size_t lsn = 0;
  std::size_t uuid = 0;
  bool logged = true;  ///< false: written at once, not through the log, so that its LSN means nothing
};
/// All fields lie in so many bytes at the start of a block.
inline constexpr std::size_t self_fields_end = 512;

/// The fields of the block that starts with `head` (self_fields_end bytes); nothing if no structure of
/// version 5 starts so.
[[nodiscard]] std::optional<SelfFields> self_fields(const Geometry& geometry,
                                                    std::span<const std::byte> head);

}  // namespace vmfs::xfs
