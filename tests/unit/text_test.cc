// SPDX-License-Identifier: MIT
#include "formats/text.h"

#include <cstdint>

#include <gtest/gtest.h>

#include "launcher/columns.h"

namespace vmfs {
namespace {

TEST(TextTest, SizesAreAsLsblkWritesThem) {
  EXPECT_EQ(human_size(0), "0");
  EXPECT_EQ(human_size(1023), "1023");
  EXPECT_EQ(human_size(1024), "1K");
  EXPECT_EQ(human_size(1536), "1.5K");
  EXPECT_EQ(human_size(10ULL << 30), "10G");
  EXPECT_EQ(human_size((1ULL << 20) - 1), "1M");
  EXPECT_EQ(human_size(UINT64_MAX), "16E");
}

TEST(TextTest, ControlCharactersDoNotReachATerminal) {
  EXPECT_EQ(printable("a\x1b[31mb\n"), "a\\x1b[31mb\\x0a");
  EXPECT_EQ(printable("\x7f"), "\\x7f");
}

TEST(TextTest, Utf8IsKeptAndBrokenUtf8IsNot) {
  EXPECT_EQ(printable("größe"), "größe");
  EXPECT_EQ(printable("\xc3"), "\\xc3");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(printable("\xff"), "\\xff");
}

TEST(TextTest, ColumnsAreAlignedAndEmptyOnesLeftOut) {
  EXPECT_EQ(columns({{"NAME", "LABEL", "SIZE"}, {"p1", "", "1G"}, {"p10", "", "2G"}}),
            "NAME  SIZE\np1    1G\np10   2G\n");
}

}  // namespace
}  // namespace vmfs
