// SPDX-License-Identifier: MIT
#include <cstdlib>

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "launcher/files/find_operands.h"
#include "launcher/files/sha256.h"

namespace vmfs {
namespace {

TEST(NumberTestTest, SignsSayMoreAndLess) {
  EXPECT_TRUE((*parse_number_test("5"))(5));
  EXPECT_FALSE((*parse_number_test("5"))(6));
  EXPECT_TRUE((*parse_number_test("+5"))(6));
  EXPECT_FALSE((*parse_number_test("+5"))(5));
  EXPECT_TRUE((*parse_number_test("-5"))(4));
  EXPECT_FALSE((*parse_number_test("-5"))(5));
}

TEST(NumberTestTest, WhatIsNoNumberIsRefused) {
  EXPECT_FALSE(parse_number_test(""));
  EXPECT_FALSE(parse_number_test("+"));
  EXPECT_FALSE(parse_number_test("++1"));
  EXPECT_FALSE(parse_number_test("1x"));
  EXPECT_FALSE(parse_number_test("18446744073709551616"));
}

TEST(SizeTestTest, BegunUnitsCount) {
  EXPECT_TRUE((*parse_size_test("1"))(1));
  EXPECT_TRUE((*parse_size_test("1"))(512));
  EXPECT_TRUE((*parse_size_test("2"))(513));
  EXPECT_TRUE((*parse_size_test("1k"))(1));
  EXPECT_FALSE((*parse_size_test("-1k"))(1));
  EXPECT_TRUE((*parse_size_test("-1k"))(0));
  EXPECT_TRUE((*parse_size_test("+4c"))(5));
  EXPECT_TRUE((*parse_size_test("3w"))(5));
  EXPECT_TRUE((*parse_size_test("1M"))(1 << 20));
  EXPECT_TRUE((*parse_size_test("2G"))((1ULL << 30) + 1));
  EXPECT_FALSE(parse_size_test(""));
  EXPECT_FALSE(parse_size_test("k"));
  EXPECT_FALSE(parse_size_test("1T"));
}

TEST(PermissionTestTest, ExactlyAllAndAny) {
  EXPECT_TRUE((*parse_permission_test("644"))(S_IFREG | 0644));
  EXPECT_FALSE((*parse_permission_test("644"))(S_IFREG | 01644));
  EXPECT_TRUE((*parse_permission_test("-600"))(S_IFREG | 0644));
  EXPECT_FALSE((*parse_permission_test("-611"))(S_IFREG | 0644));
  EXPECT_TRUE((*parse_permission_test("/611"))(S_IFREG | 0644));
  EXPECT_TRUE((*parse_permission_test("/000"))(S_IFREG));
}

TEST(PermissionTestTest, SymbolicModesStartFromNothing) {
  EXPECT_EQ(parse_permission_test("u=rwx,go=rx")->bits, 0755U);
  EXPECT_EQ(parse_permission_test("-u+s")->bits, 04000U);
  EXPECT_EQ(parse_permission_test("g+s,o+t")->bits, 03000U);
  EXPECT_EQ(parse_permission_test("+x")->bits, 0111U);
  EXPECT_EQ(parse_permission_test("a+rw,o-w")->bits, 0664U);
  EXPECT_EQ(parse_permission_test("u=rw+x")->bits, 0700U);
  EXPECT_EQ(parse_permission_test("u+X")->bits, 0U);
  EXPECT_EQ(parse_permission_test("u+X")->directory_bits, 0100U);
}

TEST(PermissionTestTest, WhatIsNoModeIsRefused) {
  EXPECT_FALSE(parse_permission_test(""));
  EXPECT_FALSE(parse_permission_test("8"));
  EXPECT_FALSE(parse_permission_test("10000"));
  EXPECT_FALSE(parse_permission_test("u"));
  EXPECT_FALSE(parse_permission_test("u+q"));
  EXPECT_FALSE(parse_permission_test("u+r,"));
}

TEST(DaysTestTest, DaysAreWindows) {
  const timespec now{.tv_sec = 1'000'000, .tv_nsec = 0};
  const auto at = [&](time_t age) { return timespec{.tv_sec = now.tv_sec - age, .tv_nsec = 1}; };
  EXPECT_TRUE((DaysTest{{.number = 1}})(at(86401), now));
  EXPECT_TRUE((DaysTest{{.number = 1}})(at(2 * 86400), now));
  EXPECT_FALSE((DaysTest{{.number = 1}})(at(2 * 86400 + 1), now));
  EXPECT_TRUE((DaysTest{{.kind = NumberTest::Kind::more, .number = 1}})(at(2 * 86400 + 1), now));
  EXPECT_FALSE((DaysTest{{.kind = NumberTest::Kind::more, .number = 1}})(at(2 * 86400), now));
  EXPECT_TRUE((DaysTest{{.kind = NumberTest::Kind::less, .number = 1}})(at(86400), now));
  EXPECT_FALSE((DaysTest{{.kind = NumberTest::Kind::less, .number = 1}})(at(86402), now));
}

class ParseTimeTest : public testing::Test {
 protected:
  ParseTimeTest() {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
};

TEST_F(ParseTimeTest, DatesWithAndWithoutClockAndZone) {
  EXPECT_EQ(parse_time("1970-01-02")->tv_sec, 86400);
  EXPECT_EQ(parse_time("1970-01-01 01:02")->tv_sec, 3720);
  EXPECT_EQ(parse_time("1970-01-01T01:02:03Z")->tv_sec, 3723);
  EXPECT_EQ(parse_time("1970-01-01 01:00:00.25 +0130")->tv_sec, -1800);
  EXPECT_EQ(parse_time("1970-01-01 01:00:00.25 +0130")->tv_nsec, 250'000'000);
  EXPECT_EQ(parse_time("1970-01-01 00:00 -01:00")->tv_sec, 3600);
  EXPECT_EQ(parse_time("@-1.25")->tv_sec, -2);
  EXPECT_EQ(parse_time("@-1.25")->tv_nsec, 750'000'000);
}

TEST_F(ParseTimeTest, WhatIsNoTimeIsRefused) {
  EXPECT_FALSE(parse_time(""));
  EXPECT_FALSE(parse_time("now"));
  EXPECT_FALSE(parse_time("1970-13-01"));
  EXPECT_FALSE(parse_time("1970-1-1"));
  EXPECT_FALSE(parse_time("1970-01-01 25:00"));
  EXPECT_FALSE(parse_time("1970-01-01 01:00:00."));
  EXPECT_FALSE(parse_time("1970-01-01 01:00 tomorrow"));
  EXPECT_FALSE(parse_time("@"));
  EXPECT_FALSE(parse_time("@1.x"));
}

TEST(ChecksumLineTest, OddNamesAreEscaped) {
  EXPECT_EQ(checksum_line("d", "a b"), "d  a b");
  EXPECT_EQ(checksum_line("d", "a\nb\\c\rd"), "\\d  a\\nb\\\\c\\rd");
}

TEST(Sha256Test, DigestsAreThoseOfTheStandard) {
  Sha256 hash;
  EXPECT_EQ(hash.finish(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 other;
  other.add(std::as_bytes(std::span("abc", 3)));
  EXPECT_EQ(other.finish(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace vmfs
