// SPDX-License-Identifier: MIT
#include "fs/guest/fstab.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vmfs {

/// "device|directory|type|options": how a failed test shows an entry.
void PrintTo(const FstabEntry& entry, std::ostream* out) {
  *out << entry.device << '|' << entry.directory << '|' << entry.type << '|' << entry.options;
}

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class FstabTest : public ::testing::Test {
 protected:
  std::vector<FstabEntry> parse(std::string_view text) {
    warnings_.clear();
    return parse_fstab(text, [this](const std::string& line) { warnings_.push_back(line); });
  }

  std::vector<std::string> warnings_;
};

TEST_F(FstabTest, FieldsAreApartByAnyBlanks) {
  EXPECT_THAT(parse("/dev/sda1 / ext4 defaults,noatime 0 1\n\t LABEL=x\t\t/var  xfs\tro\r\nUUID=1 /a auto"),
              ElementsAre(FstabEntry{"/dev/sda1", "/", "ext4", "defaults,noatime"},
                          FstabEntry{"LABEL=x", "/var", "xfs", "ro"},
                          FstabEntry{"UUID=1", "/a", "auto", "defaults"}));
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(FstabTest, CommentsAndEmptyLinesAreSkipped) {
  EXPECT_THAT(parse("# a comment\n\n   \n  # another\n#/dev/a / ext4 x\n"), IsEmpty());
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(FstabTest, EscapesStandForWhatWouldEndAField) {
  EXPECT_THAT(parse("LABEL=my\\040disk /a\\011b\\012c\\134d ext4 x\\054y 0 0"),
              ElementsAre(FstabEntry{"LABEL=my disk", "/a\tb\nc\\d", "ext4", "x,y"}));
  EXPECT_THAT(parse("a\\\\040 \\04 \\xb\\ \\777"),
              ElementsAre(FstabEntry{"a\\040", "\\04", "\\xb\\", "\\777"}));
}

TEST_F(FstabTest, LinesWithTooFewFieldsAreToldAndSkipped) {
  EXPECT_THAT(parse("/dev/sda1\n/dev/sda2 /\n/dev/sda3 / ext4\n"), SizeIs(1));
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("line 1 "), HasSubstr("line 2 ")));
}

TEST_F(FstabTest, NumberOfEntriesIsBounded) {
  std::string text;
  text.reserve(600 * 8);
  for (int i = 0; i < 600; ++i) text += "a /b c\n";
  EXPECT_THAT(parse(text), SizeIs(512));
  EXPECT_THAT(warnings_, ElementsAre(HasSubstr("line 513 ")));
}

TEST_F(FstabTest, AnyBytesParse) {
  EXPECT_THAT(parse(std::string_view("\0 \xff \\\n\\ \\ \\", 11)), SizeIs(2));
}

TEST(MountOptionTest, WordsAreWhole) {
  EXPECT_TRUE(has_mount_option("ro,noauto,x", "noauto"));
  EXPECT_TRUE(has_mount_option("noauto", "noauto"));
  EXPECT_FALSE(has_mount_option("noautos,xnoauto", "noauto"));
  EXPECT_FALSE(has_mount_option("", "noauto"));
}

TEST(MountOptionTest, PrefixesEndInAnEqualsSign) {
  EXPECT_TRUE(has_mount_option("ro,loop=/dev/loop0", "loop="));
  EXPECT_FALSE(has_mount_option("ro,loop", "loop="));
}

}  // namespace
}  // namespace vmfs
