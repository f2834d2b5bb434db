// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string_view>

#include "formats/result.h"
#include "launcher/fd.h"

namespace vmfs {

/// What a container in the background writes, in the file `log` of its folder. Once that holds 4 MiB it
/// becomes `log.1` and a new one begins, so that the last 4 MiB are there at least, and never more than 8.
class Log {
 public:
  /// Begins a log in a folder, whose descriptor must outlive it. Errors: of open(2).
  [[nodiscard]] static Result<Log> create(const Fd& folder);

  /// Adds to it. What cannot be written is lost: a container does not stop because of its log.
  void append(std::string_view text);

 private:
  int folder_ = -1;
  Fd file_;
  std::size_t size_ = 0;
};

/// Reads the log of a container's folder.
class LogReader {
 public:
  explicit LogReader(const Fd& folder) : folder_(folder.get()) {}

  /// Hands on all that was added since the last call, in pieces; at first all there is. False: `print` gave
  /// up. Errors: of open(2) and read(2), but a missing log is an empty one.
  [[nodiscard]] Result<bool> read(const std::function<bool(std::string_view)>& print);

 private:
  [[nodiscard]] Result<bool> read_file(const std::function<bool(std::string_view)>& print) const;
  [[nodiscard]] bool is_current() const;

  int folder_;
  Fd file_;
};

}  // namespace vmfs
