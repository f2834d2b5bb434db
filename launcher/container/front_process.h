// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

#include "formats/result.h"
#include "launcher/container/poller.h"
#include "launcher/fd.h"

namespace vmfs {

/// The way of a process into the background: a copy of it stays in front, so that whoever started it has
/// somebody to wait for, until this one leaves. Signals that one gets come to this one.
class FrontProcess {
 public:
  FrontProcess() = default;

  /// Returns in a child of this process. The process itself ends with the child's exit status, or with 0 when
  /// the child leaves. Call it while there is one thread only. Errors: of fork(2) and socketpair(2).
  [[nodiscard]] static Result<FrontProcess> split();

  /// Whether there still is somebody in front.
  [[nodiscard]] bool has_front() const { return static_cast<bool>(front_); }

  /// Has `lost` called if the one in front is killed.
  void watch(Poller& poller, std::function<void()> lost);

  /// Goes on in a session of its own, with `/` as directory and nothing behind the standard streams; the one
  /// in front ends with status 0.
  void leave();

 private:
  Fd front_;
};

}  // namespace vmfs
