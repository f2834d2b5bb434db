// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fs/filesystem.h"
#include "launcher/files/accounts.h"

namespace vmfs {

/// What a listing shows, by the letters of ls(1).
struct LsStyle {
  bool long_format = false;     ///< -l
  bool inodes = false;          ///< -i
  bool human = false;           ///< -h
  bool numeric = false;         ///< -n
  bool printable_only = false;  ///< control characters escaped, for terminals
  std::size_t width = 0;        ///< of the terminal, for columns; 0: one name a line
  timespec now{};
};

/// A file in a listing.
struct LsEntry {
  std::string name;
  Attributes attributes;
  std::string target;  ///< of a symbolic link
  char marker = ' ';   ///< behind the mode: '+' an access control list, '.' a security context
};

/// The lines of a listing in GNU's look, ended by newlines. Columns are wide enough for these entries and for
/// `beside`, directories that were named with them and are listed later.
[[nodiscard]] std::string format_listing(const std::vector<LsEntry>& entries, const LsStyle& style,
                                         const Accounts& accounts, const std::vector<LsEntry>& beside = {});

/// The line "total N" above a directory's listing, newline included.
[[nodiscard]] std::string format_total(const std::vector<LsEntry>& entries, const LsStyle& style);

}  // namespace vmfs
