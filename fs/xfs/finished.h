// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace vmfs::xfs {

/// An attribute as it is when what the log had begun with it is done.
struct FinishedAttribute {
  std::string name;                  ///< without prefix
  std::uint32_t space = 0;           ///< bits of attr_flag
  std::optional<std::string> value;  ///< none: it is gone
};

/// What differs from the inode on the (replayed) disk when what the log had begun with it is done: the block
/// maps may not fit there any more, so they are kept beside.
struct FinishedInode {
  std::optional<std::vector<std::byte>> data;  ///< all extents of the data fork, as a list of BmbtRec
  std::optional<std::vector<std::byte>> attr;  ///< of the attribute fork
  std::optional<std::uint64_t> size;
  std::int64_t blocks = 0;  ///< so many more than di_nblocks
  std::vector<FinishedAttribute> attributes;
};

using FinishedInodes = std::unordered_map<std::uint64_t, FinishedInode>;  // by number

}  // namespace vmfs::xfs
