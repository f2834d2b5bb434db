// SPDX-License-Identifier: MIT
#include "fs/mount/busy_poll.h"

#include <unistd.h>

#include <gtest/gtest.h>

namespace vmfs {
namespace {

using namespace std::chrono_literals;

/// How many of so many waits looked out, on a machine where requests then come after one time, else another.
unsigned looks(BusyPoll& poll, unsigned requests, BusyPoll::Clock::duration asleep,
               BusyPoll::Clock::duration looking_out) {
  unsigned looks = 0;
  for (unsigned i = 0; i < requests; ++i) {
    const bool looks_out = poll.looks_out();
    looks += looks_out ? 1 : 0;
    poll.count(looks_out ? looking_out : asleep);
  }
  return looks;
}

TEST(BusyPoll, LooksOutWhereRequestsComeSoonerForIt) {
  BusyPoll poll;
  EXPECT_GT(looks(poll, 10000, 50us, 20us), 9000U);
}

TEST(BusyPoll, SleepsWhereItMakesNoDifference) {
  BusyPoll poll;
  const unsigned looked = looks(poll, 10000, 20us, 19us);
  EXPECT_LT(looked, 500U);
  EXPECT_GT(looked, 0U);
}

TEST(BusyPoll, SleepsWhereRequestsAreFarBetween) {
  BusyPoll poll;
  EXPECT_EQ(looks(poll, 10000, 2ms, 1ms), 0U);
}

TEST(BusyPoll, FollowsAChange) {
  BusyPoll poll;
  looks(poll, 10000, 50us, 20us);
  looks(poll, 5000, 20us, 60us);  // others want the processor now
  EXPECT_LT(looks(poll, 10000, 20us, 60us), 500U);
  looks(poll, 5000, 50us, 20us);
  EXPECT_GT(looks(poll, 10000, 50us, 20us), 9000U);
}

TEST(BusyPoll, OnePauseEndsABurst) {
  BusyPoll poll;
  while (!poll.looks_out()) poll.count(50us);
  poll.count(1s);
  EXPECT_FALSE(poll.looks_out());
}

TEST(BusyPoll, WaitsNoLongerThanItSays) {
  BusyPoll poll;
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  while (!poll.looks_out()) poll.count(50us);
  const auto start = BusyPoll::Clock::now();
  poll.wait(ends[0]);
  EXPECT_GE(BusyPoll::Clock::now() - start, BusyPoll::longest);
  ASSERT_TRUE(poll.looks_out());
  ASSERT_EQ(::write(ends[1], "x", 1), 1);
  poll.wait(ends[0]);
  poll.arrived();
  ::close(ends[0]);
  ::close(ends[1]);
}

}  // namespace
}  // namespace vmfs
