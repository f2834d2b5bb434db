// SPDX-License-Identifier: MIT
#include <cstdlib>

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "launcher/files/accounts.h"
#include "launcher/files/acl.h"
#include "launcher/files/file_text.h"
#include "launcher/files/ls_format.h"
#include "launcher/files/stat_format.h"

namespace vmfs {
namespace {

using namespace std::string_literals;

TEST(AccountTableTest, FirstLineOfANumberAndOfANameCounts) {
  const AccountTable table("root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/:\nuser:x:7:7\nuser:x:8:8\n");
  EXPECT_EQ(table.name(0), "root");
  EXPECT_EQ(table.id("toor"), 0U);
  EXPECT_EQ(table.id("user"), 7U);
  EXPECT_EQ(table.name(8), "user");
}

TEST(AccountTableTest, LinesThatAreNoneAreLeftOut) {
  const AccountTable table(
      "+::0:0\n\n:x:1:\nname\nnegative:x:-1:\nhuge:x:4294967296:\n#c:x:5:\nlast:x:4294967295");
  EXPECT_EQ(table.name(0), "");
  EXPECT_EQ(table.name(1), "");
  EXPECT_EQ(table.name(5), "");
  EXPECT_FALSE(table.id("negative"));
  EXPECT_FALSE(table.id("huge"));
  EXPECT_EQ(table.id("last"), 4294967295U);
}

TEST(ShellQuotedTest, NamesAreWhatAShellReadsBack) {
  EXPECT_EQ(shell_quoted("plain"), "'plain'");
  EXPECT_EQ(shell_quoted(""), "''");
  EXPECT_EQ(shell_quoted(R"(back\slash $x "y")"), R"('back\slash $x "y"')");
  EXPECT_EQ(shell_quoted("größe"), "'größe'");
}

TEST(ShellQuotedTest, ASingleQuoteIsInDoubleOnesWhereNothingIsSpecial) {
  EXPECT_EQ(shell_quoted("it's"), R"("it's")");
  EXPECT_EQ(shell_quoted("#it's"), R"("#it's")");
  EXPECT_EQ(shell_quoted("it's $5"), R"('it'\''s $5')");
  EXPECT_EQ(shell_quoted("it's#"), R"('it'\''s#')");
}

TEST(ShellQuotedTest, WhatIsNoTextIsEscaped) {
  EXPECT_EQ(shell_quoted("new\nline"), R"('new'$'\n''line')");
  EXPECT_EQ(shell_quoted("\n\t"), R"(''$'\n\t')");
  EXPECT_EQ(shell_quoted("\377-"), R"(''$'\377''-')");
  EXPECT_EQ(shell_quoted("it's\n'"), R"('it'\''s'$'\n'\''')");
}

TEST(ModeTextTest, SpecialBitsTakeThePlaceOfExecution) {
  EXPECT_EQ(mode_text(S_IFREG | 06755), "-rwsr-sr-x");
  EXPECT_EQ(mode_text(S_IFREG | 06644), "-rwSr-Sr--");
  EXPECT_EQ(mode_text(S_IFDIR | 01777), "drwxrwxrwt");
  EXPECT_EQ(mode_text(S_IFDIR | 01776), "drwxrwxrwT");
  EXPECT_EQ(mode_text(0), "?---------");
}

TEST(LsSizeTest, RoundsUpAsLsDoes) {
  EXPECT_EQ(ls_size(0), "0");
  EXPECT_EQ(ls_size(1023), "1023");
  EXPECT_EQ(ls_size(1024), "1.0K");
  EXPECT_EQ(ls_size(1025), "1.1K");
  EXPECT_EQ(ls_size(10188), "10K");
  EXPECT_EQ(ls_size(10240), "10K");
  EXPECT_EQ(ls_size(10241), "11K");
  EXPECT_EQ(ls_size(1047552), "1023K");
  EXPECT_EQ(ls_size(1047553), "1.0M");
  EXPECT_EQ(ls_size(UINT64_MAX), "16E");
}

class LsTimeTest : public testing::Test {
 protected:
  LsTimeTest() {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
  static constexpr timespec now{.tv_sec = 1'700'000'000, .tv_nsec = 5};
};

TEST_F(LsTimeTest, TheLastSixMonthsShowTheClock) {
  EXPECT_EQ(ls_time({.tv_sec = now.tv_sec, .tv_nsec = 4}, now), "Nov 14 22:13");
  EXPECT_EQ(ls_time({.tv_sec = now.tv_sec - 15'778'476, .tv_nsec = 6}, now), "May 16 07:18");
}

TEST_F(LsTimeTest, OlderAndFutureTimesShowTheYear) {
  EXPECT_EQ(ls_time(now, now), "Nov 14  2023");
  EXPECT_EQ(ls_time({.tv_sec = now.tv_sec - 15'778'476, .tv_nsec = 5}, now), "May 16  2023");
  EXPECT_EQ(ls_time({.tv_sec = -1, .tv_nsec = 0}, now), "Dec 31  1969");
}

TEST_F(LsTimeTest, YearsBeyondEveryCalendarAreNumbers) {
  EXPECT_EQ(full_time({.tv_sec = INT64_MAX, .tv_nsec = 1}), "9223372036854775807.000000001");
}

TEST(AclTest, ReadsWhatTheKernelWrites) {
  const auto entries = parse_acl(
      "\2\0\0\0\1\0\6\0\xff\xff\xff\xff\2\0\7\0\xe8\3\0\0\4\0\4\0\xff\xff\xff\xff\x20\0\0\0\xff\xff\xff\xff"s);
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 4U);
  EXPECT_EQ((*entries)[1].tag, AclEntry::Tag::user);
  EXPECT_EQ((*entries)[1].permissions, 7U);
  EXPECT_EQ((*entries)[1].id, 1000U);
}

TEST(AclTest, RefusesWhatIsNone) {
  EXPECT_FALSE(parse_acl(""));
  EXPECT_FALSE(parse_acl("\1\0\0\0"s));
  EXPECT_FALSE(parse_acl("\2\0\0\0\1\0\6\0\xff\xff\xff"s));
  EXPECT_FALSE(parse_acl("\2\0\0\0\3\0\6\0\xff\xff\xff\xff"s));
  EXPECT_FALSE(parse_acl("\2\0\0\0\1\0\10\0\xff\xff\xff\xff"s));
  EXPECT_TRUE(parse_acl("\2\0\0\0"s)->empty());
}

LsEntry file(std::string name, std::uint64_t size) {
  LsEntry entry{.name = std::move(name), .attributes = {}, .target = {}};
  entry.attributes.mode = S_IFREG | 0644;
  entry.attributes.size = size;
  return entry;
}

TEST(LsFormatTest, ColumnsAreFilledFromTopToBottom) {
  const std::vector<LsEntry> entries{file("a", 0), file("bb", 0), file("ccc", 0), file("d", 0), file("e", 0)};
  EXPECT_EQ(format_listing(entries, {.width = 10}, {}), "a    d\nbb   e\nccc\n");
  EXPECT_EQ(format_listing(entries, {.width = 80}, {}), "a  bb  ccc  d  e\n");
  EXPECT_EQ(format_listing(entries, {.width = 1}, {}), "a\nbb\nccc\nd\ne\n");
}

TEST(LsFormatTest, NamesForATerminalHaveNoControlCharacters) {
  EXPECT_EQ(format_listing({file("a\x1b[2J\n", 0)}, {.printable_only = true}, {}), "a\\x1b[2J\\x0a\n");
}

TEST(StatFormatTest, UnknownDirectivesAreRefused) {
  EXPECT_EQ(format_stat("%Q", {}, {}).error().code, EINVAL);
  EXPECT_EQ(format_stat("%", {}, {}).error().code, EINVAL);
  EXPECT_EQ(format_stat("%%", {}, {}).value(), "%\n");
  EXPECT_EQ(format_stat("%5h|%-5h|%05h", {}, {}).value(), "    0|0    |00000\n");
}

TEST(StatFormatTest, TimesBeforeTheEpochAreCutOffDownwards) {
  StatSubject subject;
  subject.attributes.modified = {.tv_sec = -1, .tv_nsec = 123'456'789};
  EXPECT_EQ(format_stat("%Y %.3Y %.9Y %.12Y", subject, {}).value(),
            "-1 -0.876 -0.876543211 -0.876543211000\n");
}

}  // namespace
}  // namespace vmfs
