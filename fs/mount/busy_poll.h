// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <chrono>

namespace vmfs {

/// Looks out for the next request for a moment before its thread goes to sleep. Who asks one thing after
/// another otherwise waits each time for a processor to be woken, which in a virtual machine takes longer
/// than most answers. Whether it pays depends on the machine and on what else it does, so that is tried
/// again and again: it is done only while requests come sooner for it. For one thread at a time.
class BusyPoll {
 public:
  using Clock = std::chrono::steady_clock;

  /// How long it looks out: a few times what it takes to fall asleep and be woken.
  static constexpr Clock::duration longest = std::chrono::microseconds(100);

  /// Returns when `fd` has something to read, or it is better to sleep until it has.
  void wait(int fd);

  /// Says that something was read, whoever waited for it.
  void arrived() { count(Clock::now() - since_); }

  /// Whether the next wait() looks out.
  [[nodiscard]] bool looks_out() const { return worthwhile_ && in_burst_; }

  /// Counts a request that was waited for so long.
  void count(Clock::duration waited);

 private:
  void begin_phase();

  Clock::time_point since_;  ///< when the waiting began
  bool in_burst_ = false;    ///< whether the last request came soon
  bool worthwhile_ = false;
  bool was_worthwhile_ = false;
  unsigned between_ = 128;                   ///< requests before the next trials
  unsigned phase_ = 0;                       ///< of trials, then of keeping to what they showed
  unsigned left_ = 1;                        ///< requests in this phase
  std::array<Clock::duration, 2> waited_{};  ///< in trials: asleep, looking out
};

}  // namespace vmfs
