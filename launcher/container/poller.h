// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <vector>

#include <poll.h>

#include "launcher/fd.h"

namespace vmfs {

/// One poll(2) over what several parts of a program wait for.
class Poller {
 public:
  /// `handle` gets the events that came. A descriptor below 0 is passed over.
  void add(int fd, short events, std::function<void(short)> handle);

  /// Waits for at least one event, or a signal handler; calls what belongs to each, in the order of add().
  /// `timeout` in milliseconds, below 0: for ever. False: nothing came.
  bool wait(int timeout = -1);

 private:
  std::vector<pollfd> list_;
  std::vector<std::function<void(short)>> handlers_;
};

}  // namespace vmfs
