// SPDX-License-Identifier: MIT
#include "fs/mount/busy_poll.h"

#include <array>
#include <chrono>

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

/// Waits for a pipe, by one who looks out.
class BusyPollPipe : public testing::Test {
 protected:
  BusyPollPipe() {
    EXPECT_EQ(::pipe(ends_.data()), 0);
    while (!poll_.looks_out()) poll_.count(50us);
  }
  ~BusyPollPipe() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }

  BusyPoll::Clock::duration wait() {
    const auto start = BusyPoll::Clock::now();
    poll_.wait(ends_[0]);
    return BusyPoll::Clock::now() - start;
  }

  BusyPoll poll_;
  std::array<int, 2> ends_{};
};

TEST_F(BusyPollPipe, GivesUpWhereNothingComes) {
  EXPECT_GE(wait(), BusyPoll::longest);
}

TEST_F(BusyPollPipe, EndsWithTheFirstThatComes) {
  ASSERT_EQ(::write(ends_[1], "x", 1), 1);
  // Once undisturbed is enough.
  bool at_once = false;
  for (int i = 0; i < 1000 && !at_once; ++i) at_once = wait() < BusyPoll::longest;
  EXPECT_TRUE(at_once);
}

}  // namespace
}  // namespace vmfs
