// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "formats/result.h"

namespace vmfs {

/// What went wrong while a verb went on: one line each on standard error, and the exit status they make.
class Report {
 public:
  /// Prints "vmfs: DOING 'PATH': why" for a file of the image; the status becomes 1.
  void error(std::string_view doing, std::string_view path, const Error& why);

  /// Prints "vmfs: PATH: text"; the status stays.
  void note(std::string_view path, std::string_view text);

  [[nodiscard]] int status() const { return status_; }

  /// Flushes standard output. Returns status(), or 1 and a line where not everything could be written.
  [[nodiscard]] int finish();

 private:
  int status_ = 0;
};

/// An error in the words of the C library ("No such file or directory"); where these say too little, followed
/// by what the reader says.
[[nodiscard]] std::string explain(const Error& error);

}  // namespace vmfs
