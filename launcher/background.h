// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include <sys/types.h>

#include "formats/result.h"
#include "launcher/fd.h"

namespace vmfs {

/// A process that its caller waits for only until it says that it is ready.
class Background {
 public:
  /// Forks: the caller's process stays behind, calls `beside` with the new one's id, waits, and ends with
  /// status 0 once ready() is called, or as the new one ends before, with a line on standard error where a
  /// signal ended that. If `beside` fails it says why and ends both. The new process returns from here. Call
  /// it while there is one thread. Errors: of fork(2) and pipe(2).
  [[nodiscard]] static Result<Background> start(const std::function<Result<void>(pid_t)>& beside);

  /// Lets the caller go: a session of its own, standard streams closed. Opens no file.
  void ready();

 private:
  Background(Fd caller, Fd null) : caller_(std::move(caller)), null_(std::move(null)) {}

  Fd caller_;
  Fd null_;
};

}  // namespace vmfs
