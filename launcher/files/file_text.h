// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <sys/types.h>
#include <time.h>

namespace vmfs {

/// "drwxr-xr-x", as ls -l writes it.
[[nodiscard]] std::string mode_text(mode_t mode);

/// The type as stat(1) calls it: "regular file", "directory", "character special file". `size` tells empty
/// files.
[[nodiscard]] std::string_view type_text(mode_t mode, std::uint64_t size);

/// One word for a type, for JSON: "file", "directory", "symlink", "fifo", "socket", "block", "char",
/// "unknown".
[[nodiscard]] std::string_view type_word(mode_t mode);

/// The letter that find's -type takes: f d l p s b c, or '?'.
[[nodiscard]] char type_letter(mode_t mode);

/// A size as `ls -h` writes it: rounded up, one digit after the point below ten: "512", "4.0K", "12M".
[[nodiscard]] std::string ls_size(std::uint64_t bytes);

/// A time as `ls -l` writes it in the C locale: "Nov 22 08:30" in the six months before `now`, else with the
/// year in the place of the clock. Local time.
[[nodiscard]] std::string ls_time(const timespec& time, const timespec& now);

/// A name as `stat -c %N` writes it and a shell reads it back: 'name', "it's", 'new'$'\n''line'. Bytes that
/// are no text of UTF-8 are escaped.
[[nodiscard]] std::string shell_quoted(std::string_view name);

/// "2026-11-22 08:30:00.123456789 +0000", as stat(1). Local time.
[[nodiscard]] std::string full_time(const timespec& time);

/// "2026-11-22T08:30:00.123456789Z", for JSON. UTC.
[[nodiscard]] std::string iso_time(const timespec& time);

}  // namespace vmfs
