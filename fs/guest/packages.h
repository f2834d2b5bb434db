// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fs/filesystem.h"

namespace vmfs {

/// A package manager of a guest, and how many packages it has installed.
struct Packages {
  std::string manager;  ///< "dpkg", "rpm", "apk", "pacman"
  std::optional<std::uint64_t>
      count;             ///< absent where its database is of a kind that is not read, or damaged
  std::string database;  ///< of rpm: "sqlite", "bdb" or "ndb"; of the others empty
};

/// The package managers whose databases are in a guest's tree. Reads the databases, of rpm's SQLite only the
/// pages of the table of packages. What a writer had only in SQLite's write-ahead log is not counted.
[[nodiscard]] std::vector<Packages> find_packages(const Filesystem& tree);

}  // namespace vmfs
