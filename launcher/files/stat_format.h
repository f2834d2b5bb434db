// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "fs/filesystem.h"
#include "launcher/files/accounts.h"

namespace vmfs {

/// A file as stat(1) speaks of it.
struct StatSubject {
  std::string path;  ///< as given
  Attributes attributes;
  std::string target;  ///< of a symbolic link
};

/// The lines that `stat PATH` prints. A file of an image is on no device: its number is 0,0.
[[nodiscard]] std::string format_stat(const StatSubject& subject, const Accounts& accounts);

/// `format` with its directives replaced as `stat -c` does, flags and widths included; a newline is added.
/// Errors: EINVAL for a directive that is not known.
[[nodiscard]] Result<std::string> format_stat(std::string_view format, const StatSubject& subject,
                                              const Accounts& accounts);

}  // namespace vmfs
