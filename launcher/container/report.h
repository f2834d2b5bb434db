// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>

#include "formats/result.h"
#include "launcher/fd.h"

namespace vmfs {

/// Why a container did not start, and the exit status that tells it.
struct Failure {
  int status = 0;
  std::string message;
};

/// The exit status of a failure of our own, as podman has it.
constexpr int exit_own_failure = 125;
constexpr int exit_not_executable = 126;
constexpr int exit_not_found = 127;

/// A one-way line from the processes that set a container up to the one that started them. It ends silently
/// when the container's program is executed.
class Report {
 public:
  [[nodiscard]] static Result<Report> make();

  /// In the sending processes.
  void close_reader() { reader_.reset(); }
  [[nodiscard]] int writer() const { return writer_.get(); }
  void move_writer(int fd);
  void close_writer() { writer_.reset(); }

  /// Sends the failure and ends the process with its status.
  [[noreturn]] void fail_with(const Failure& failure) const;

  /// In the receiving process.
  [[nodiscard]] int reader() const { return reader_.get(); }

  /// Waits for the end of the line: the failure if there was one.
  [[nodiscard]] std::optional<Failure> receive();

 private:
  Fd reader_;
  Fd writer_;
};

}  // namespace vmfs
