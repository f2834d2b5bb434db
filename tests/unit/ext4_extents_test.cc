// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fs/ext4/extent_editor.h"

namespace vmfs::ext4 {

bool operator==(const FileExtent& a, const FileExtent& b) {
  return a.logical == b.logical && a.first == b.first && a.length == b.length && a.unwritten == b.unwritten;
}

void PrintTo(const FileExtent& extent, std::ostream* out) {
  *out << extent.logical << "+" << extent.length << "@" << extent.first << (extent.unwritten ? "u" : "");
}

namespace {

using testing::ElementsAre;

constexpr std::uint64_t no_limit = 1000;

std::vector<FileExtent> replayed(std::vector<FileExtent> extents, const FileExtent& extent,
                                 std::uint64_t end) {
  EXPECT_LE(replay_extent(extents, extent, end, no_limit), no_limit);
  return extents;
}

TEST(Ext4ExtentsTest, WhatFillsAHoleIsJoinedWithItsNeighbours) {
  EXPECT_THAT(replayed({{0, 100, 2}, {5, 105, 3}}, {2, 102, 3}, 0), ElementsAre(FileExtent{0, 100, 8}));
  EXPECT_THAT(replayed({{0, 100, 2}, {5, 105, 3}}, {3, 103, 2}, 0),
              ElementsAre(FileExtent{0, 100, 2}, FileExtent{3, 103, 5}));
  EXPECT_THAT(replayed({{0, 100, 2}, {5, 200, 3}}, {2, 102, 3}, 0),
              ElementsAre(FileExtent{0, 100, 5}, FileExtent{5, 200, 3}));
  EXPECT_THAT(replayed({}, {7, 70, 1, true}, 0), ElementsAre(FileExtent{7, 70, 1, true}));
}

TEST(Ext4ExtentsTest, WhatMovedIsJoinedOnlyBeforeTheEndOfTheFile) {
  const std::vector<FileExtent> before{{0, 100, 4}, {4, 300, 4}};
  EXPECT_THAT(replayed(before, {4, 104, 4}, 0), ElementsAre(FileExtent{0, 100, 4}, FileExtent{4, 104, 4}));
  EXPECT_THAT(replayed(before, {4, 104, 4}, 1), ElementsAre(FileExtent{0, 100, 8}));
  EXPECT_THAT(replayed(before, {2, 500, 4}, 8),
              ElementsAre(FileExtent{0, 100, 2}, FileExtent{2, 500, 4}, FileExtent{6, 302, 2}));
}

TEST(Ext4ExtentsTest, WhatWasWrittenInItsPlaceIsJoinedUpToIt) {
  const std::vector<FileExtent> before{{0, 100, 4}, {4, 104, 8, true}};
  EXPECT_THAT(replayed(before, {4, 104, 2}, 0),
              ElementsAre(FileExtent{0, 100, 6}, FileExtent{6, 106, 6, true}));
}

TEST(Ext4ExtentsTest, NoExtentGetsLongerThanItCanBe) {
  std::vector<FileExtent> written{{0, 100, 32767}, {32767, 32867, 1}, {32768, 32868, 1}};
  join_extents(written, 100000);
  EXPECT_THAT(written, ElementsAre(FileExtent{0, 100, 32768}, FileExtent{32768, 32868, 1}));
  std::vector<FileExtent> unwritten{{0, 100, 32766, true}, {32766, 32866, 1, true}, {32767, 32867, 1, true}};
  join_extents(unwritten, 100000);
  EXPECT_THAT(unwritten, ElementsAre(FileExtent{0, 100, 32767, true}, FileExtent{32767, 32867, 1, true}));
}

TEST(Ext4ExtentsTest, TooManyExtentsEndTheReplay) {
  std::vector<FileExtent> extents;
  for (std::uint64_t i = 0; i < 100; ++i) extents.push_back({2 * i, 10 * i, 1});
  const std::uint64_t passed = replay_extent(extents, {0, 5000, 200}, 0, 500);
  EXPECT_GT(passed, 500);
  EXPECT_LE(passed, 500 + 200);
}

}  // namespace
}  // namespace vmfs::ext4
