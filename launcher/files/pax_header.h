// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fs/filesystem.h"
#include "launcher/files/data_runs.h"

namespace vmfs {

/// What the headers of one member of a tar archive say.
struct PaxMember {
  std::string path;       ///< without a slash at the begin; one at the end is added for directories
  Attributes attributes;  ///< its size only where `stored` is of a regular file
  std::string link;       ///< target of a symbolic link, or path of the member that a hard link is to
  bool hard_link = false;
  std::vector<std::pair<std::string, std::string>>
      records;          ///< further keywords of pax, such as SCHILY.xattr.NAME
  bool sparse = false;  ///< of the contents only `runs` are stored, after the map that pax_header() ends with
  std::vector<DataRun> runs;
};

/// The headers of a member as pax(1) has them (POSIX.1-2001): ustar's, with an extended one before it for
/// what that has no room for: times with nanoseconds, large numbers, long names, attributes. Sparse files
/// have the map of GNU.sparse 1.0. A multiple of 512 bytes; the contents follow, filled up to the next one.
[[nodiscard]] std::string pax_header(const PaxMember& member);

/// Bytes of contents that follow pax_header().
[[nodiscard]] std::uint64_t stored_size(const PaxMember& member);

/// "SCHILY.xattr." and the name of an extended attribute, '%' and '=' encoded as GNU tar does.
[[nodiscard]] std::string xattr_keyword(std::string_view name);

}  // namespace vmfs
