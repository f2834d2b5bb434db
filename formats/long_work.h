// SPDX-License-Identifier: MIT
#pragma once

namespace vmfs {

/// While this lives, `function` is called once, as soon as this thread is about to wait for a disk or to
/// compute for long: a server lets another thread wait for requests meanwhile. One at a time in a thread.
class BeforeLongWork {
 public:
  BeforeLongWork(void (*function)(void*), void* context);
  ~BeforeLongWork();
  BeforeLongWork(const BeforeLongWork&) = delete;
  BeforeLongWork& operator=(const BeforeLongWork&) = delete;
};

/// Whether announce_long_work() would call anything, so that it is worth to find out what is ahead.
[[nodiscard]] bool long_work_matters();

/// Says that this thread is about to wait for a disk or to compute for more than some tens of microseconds.
void announce_long_work();

}  // namespace vmfs
