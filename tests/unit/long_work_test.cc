// SPDX-License-Identifier: MIT
#include "formats/long_work.h"

#include <cstdio>
#include <cstdlib>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "formats/source.h"

namespace vmfs {
namespace {

void count(void* calls) {
  ++*static_cast<int*>(calls);
}

TEST(LongWorkTest, IsAnnouncedOnceAndToWhoeverListens) {
  int calls = 0;
  announce_long_work();
  {
    const BeforeLongWork notice(count, &calls);
    EXPECT_TRUE(long_work_matters());
    announce_long_work();
    EXPECT_FALSE(long_work_matters());
    announce_long_work();
  }
  announce_long_work();
  EXPECT_EQ(calls, 1);
}

// A file of which one page is in the host's memory, and the other on its disk.
TEST(LongWorkTest, IsAReadThatWaitsForTheDiskAndNoOther) {
  constexpr std::size_t size = 16U << 20;
  std::FILE* const file = std::tmpfile();
  const int fd = ::fileno(file);
  std::vector<std::byte> bytes(size);
  ASSERT_EQ(::pwrite(fd, bytes.data(), size, 0), static_cast<ssize_t>(size));
  ASSERT_EQ(::fsync(fd), 0);
  ::posix_fadvise(fd, 0, size, POSIX_FADV_DONTNEED);
  const auto page = std::span(bytes).first(4096);
  const Extent extent = Extent::data(fd, 0, size);
  const auto calls_of_read = [&](std::uint64_t offset) {
    int calls = 0;
    const BeforeLongWork notice(count, &calls);
    EXPECT_TRUE(read_extent(extent, offset, page));
    return calls;
  };
  if (calls_of_read(0) == 0) {
    std::fclose(file);
    ASSERT_EQ(nullptr, std::getenv("CI")) << "may not be skipped here: /tmp keeps everything in memory";
    GTEST_SKIP() << "/tmp keeps everything in memory";
  }
  EXPECT_EQ(calls_of_read(0), 0);
  std::fclose(file);
}

}  // namespace
}  // namespace vmfs
