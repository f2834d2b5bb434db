// SPDX-License-Identifier: MIT
#include "launcher/files/report.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "formats/text.h"

namespace vmfs {

void Report::error(std::string_view doing, std::string_view path, const Error& why) {
  fmt::print(stderr, "vmfs: {} '{}': {}\n", doing, printable(path), explain(why));
  status_ = 1;
}

void Report::note(std::string_view path, std::string_view text) {
  fmt::print(stderr, "vmfs: {}: {}\n", printable(path), text);
}

int Report::finish() {
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    fmt::print(stderr, "vmfs: write error: {}\n", std::generic_category().message(errno));
    status_ = 1;
  }
  return status_;
}

std::string explain(const Error& error) {
  static constexpr std::array plain{ENOENT, ENOTDIR, ENAMETOOLONG, ENOSPC, EACCES, EPERM};
  std::string text = std::generic_category().message(error.code);
  if (error.what.empty() || std::ranges::find(plain, error.code) != plain.end()) return text;
  return text + " (" + printable(error.what) + ")";
}

}  // namespace vmfs
