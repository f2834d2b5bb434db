// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "formats/source.h"

namespace vmfs {

/// How many rows a table of an SQLite 3 database has, by a walk through the table's B-tree pages alone. Reads
/// no page twice and no overflow page. Errors: EUCLEAN for what is no sound database, ENOENT for no such
/// table, EIO.
[[nodiscard]] Result<std::uint64_t> count_sqlite_rows(const Source& database, std::string_view table);

}  // namespace vmfs
