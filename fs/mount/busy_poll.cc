// SPDX-License-Identifier: MIT
#include "fs/mount/busy_poll.h"

#include <algorithm>

#include <poll.h>
#include <sched.h>

namespace vmfs {
namespace {

/// The two kinds of trial take turns, so that what requests come sooner by is not who asks.
constexpr unsigned trials = 8;
constexpr unsigned requests_of_trial = 16;

/// Between trials, more the longer they say the same.
constexpr unsigned fewest_requests = 256;
constexpr unsigned most_requests = 4096;

bool readable(int fd) {
  pollfd look{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&look, 1, 0) != 0;
}

}  // namespace

void BusyPoll::wait(int fd) {
  since_ = Clock::now();
  if (!looks_out()) return;
  while (!readable(fd) && Clock::now() - since_ < longest) ::sched_yield();
}

void BusyPoll::count(Clock::duration waited) {
  in_burst_ = waited < longest;
  // So that a pause of the one who asks does not decide.
  waited_[worthwhile_ ? 1 : 0] += std::min(waited, 2 * longest);
  if (--left_ == 0) begin_phase();
}

void BusyPoll::begin_phase() {
  if (phase_ < trials) {
    if (phase_ == 0) waited_ = {};
    worthwhile_ = phase_ % 2 == 1;
    left_ = requests_of_trial;
  } else {
    worthwhile_ = waited_[1] < waited_[0] * 3 / 4;
    between_ = worthwhile_ == was_worthwhile_ ? std::min(2 * between_, most_requests) : fewest_requests;
    was_worthwhile_ = worthwhile_;
    left_ = between_;
  }
  phase_ = (phase_ + 1) % (trials + 1);
}

}  // namespace vmfs
