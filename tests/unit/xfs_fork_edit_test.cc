// SPDX-License-Identifier: MIT
#include <cerrno>

#include <gtest/gtest.h>

#include "fs/xfs/log/fork_edit.h"

namespace vmfs::tests {
namespace {

using xfs::ForkEdit;

ForkEdit::Run run(std::uint64_t file_block, std::uint64_t start, std::uint64_t count) {
  return {.file_block = file_block, .start = start, .count = count, .unwritten = false, .there = true};
}

ForkEdit one_extent() {
  ForkEdit edit;
  EXPECT_TRUE(edit.insert(run(10, 1000, 20)));
  return edit;
}

TEST(XfsForkEditTest, HoleEndsWhereTheNextExtentBegins) {
  const ForkEdit::Run hole = one_extent().at(4, 100);
  EXPECT_FALSE(hole.there);
  EXPECT_EQ(hole.count, 6U);
}

TEST(XfsForkEditTest, LookIntoTheMiddleOfAnExtent) {
  const ForkEdit::Run found = one_extent().at(15, 100);
  EXPECT_TRUE(found.there);
  EXPECT_EQ(found.start, 1005U);
  EXPECT_EQ(found.count, 15U);
}

TEST(XfsForkEditTest, RemovalFromTheMiddleLeavesBothEnds) {
  ForkEdit edit = one_extent();
  EXPECT_EQ(edit.remove(12, 4), 4U);
  EXPECT_EQ(edit.at(10, 100).count, 2U);
  EXPECT_FALSE(edit.at(12, 100).there);
  EXPECT_EQ(edit.at(16, 100).start, 1006U);
  EXPECT_EQ(edit.at(16, 100).count, 14U);
}

TEST(XfsForkEditTest, RemovalCountsOnlyWhatWasThere) {
  ForkEdit edit = one_extent();
  EXPECT_TRUE(edit.insert(run(40, 2000, 5)));
  EXPECT_EQ(edit.remove(25, 17), 7U);
  EXPECT_EQ(edit.at(42, 100).start, 2002U);
}

TEST(XfsForkEditTest, OnlyAHoleCanBeFilled) {
  ForkEdit edit = one_extent();
  EXPECT_FALSE(edit.insert(run(5, 3000, 6)));
  EXPECT_TRUE(edit.insert(run(5, 3000, 5)));
  EXPECT_FALSE(edit.insert(run(29, 3000, 1)));
  EXPECT_FALSE(edit.insert(run(100, 3000, 0)));
}

TEST(XfsForkEditTest, RecordsAreThoseOfTheDisk) {
  ForkEdit edit;
  ForkEdit::Run unwritten = run(3, (std::uint64_t{1} << 43) + 7, 9);
  unwritten.unwritten = true;
  ASSERT_TRUE(edit.insert(unwritten));
  const auto bytes = edit.encode();
  ASSERT_EQ(bytes.size(), sizeof(xfs::BmbtRec));
  const auto record = from_bytes<xfs::BmbtRec>(bytes);
  EXPECT_EQ(record.l0, std::uint64_t{1} << 63 | 3U << 9 | 1U);
  EXPECT_EQ(record.l1, 7U << 21 | 9U);
}

}  // namespace
}  // namespace vmfs::tests
