// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include <sys/types.h>

#include "launcher/fd.h"

namespace vmfs {

/// Whether a container's first process, whose /proc/PID/status this is, runs the image's program by now, and
/// has made up its mind about a signal: PID 1 loses what it does not expect.
[[nodiscard]] bool awaits_signal(std::string_view status, int signal);

/// The way of a container from the request to stop to its end.
class Stop {
 public:
  using Clock = std::chrono::steady_clock;

  Stop(int signal, std::chrono::seconds patience) : signal_(signal), patience_(patience) {}

  void use_signal(int signal) { signal_ = signal; }

  /// From now on it is to end. The second request kills.
  void request(Clock::time_point now);

  /// How many milliseconds poll(2) may wait until proceed() is due; -1: for ever.
  [[nodiscard]] int wait_time(Clock::time_point now) const;

  /// Sends what is due to the container's first process, `process` and a pidfd of it.
  void proceed(pid_t process, const Fd& pidfd, Clock::time_point now);

 private:
  int signal_;
  std::chrono::seconds patience_;
  std::optional<Clock::time_point> deadline_;
  bool sent_ = false;
};

}  // namespace vmfs
