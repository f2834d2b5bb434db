// SPDX-License-Identifier: MIT
#include "formats/workers.h"

#include <atomic>
#include <latch>
#include <memory>

#include <gtest/gtest.h>

namespace vmfs {
namespace {

TEST(WorkersTest, ParallelTasksAreDoneByOthers) {
  allow_threads();
  Workers workers;
  ASSERT_TRUE(workers.ready());
  constexpr int count = 100;
  std::latch done(count);
  std::atomic<int> mine = 0;
  const auto self = std::this_thread::get_id();
  for (int i = 0; i < count; ++i) {
    workers.submit([&] {
      mine += std::this_thread::get_id() == self;
      done.count_down();
    });
  }
  done.wait();
  EXPECT_EQ(mine, 0);
}

TEST(WorkersTest, ParallelEndDropsWhatNobodyHasBegun) {
  allow_threads();
  std::latch dropped(1);
  std::atomic<int> done = 0;
  {
    Workers workers;
    // Every thread is busy until the tasks behind these are dropped.
    for (unsigned i = 0; i < Workers::max_threads; ++i) workers.submit([&] { dropped.wait(); });
    const std::shared_ptr<void> token(nullptr, [&](void*) { dropped.count_down(); });
    for (int i = 0; i < 50; ++i) workers.submit([&done, token] { ++done; });
  }
  EXPECT_EQ(done, 0);
}

}  // namespace
}  // namespace vmfs
