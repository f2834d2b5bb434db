// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "fs/xfs/bmap.h"

namespace vmfs::xfs {

/// An attribute as it lies in its leaf or in the inode.
struct AttrEntry {
  std::string_view name{};  ///< without prefix; points into the block
  std::uint32_t flags = 0;
  std::string_view value{};         ///< if `local`
  bool local = true;                ///< else the value has blocks of its own:
  std::uint64_t remote_block = 0;   ///< first of them in the attribute fork
  std::uint32_t remote_length = 0;  ///< bytes
};

/// Called for each attribute that is complete; false stops.
using AttrVisitor = std::function<Result<bool>(const AttrEntry&)>;

/// Visits all attributes of an inode. Errors: EUCLEAN, EIO, and what the visitor says.
[[nodiscard]] Result<void> visit_attributes(const Volume& volume, const InodeCore& inode,
                                            const AttrVisitor& visit);

/// Visits those that may have this name: with its hash, if they are in leaves.
[[nodiscard]] Result<void> visit_attributes_named(const Volume& volume, const InodeCore& inode,
                                                  std::string_view name, const AttrVisitor& visit);

/// The value of an attribute of `inode`. Errors: EUCLEAN, EIO.
[[nodiscard]] Result<std::string> attribute_value(const Volume& volume, const InodeCore& inode,
                                                  const AttrEntry& entry);

}  // namespace vmfs::xfs
