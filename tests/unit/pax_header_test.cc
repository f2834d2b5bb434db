// SPDX-License-Identifier: MIT
#include "launcher/files/pax_header.h"

#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vmfs {
namespace {

using testing::HasSubstr;
using testing::Not;

PaxMember plain_file(std::string path) {
  PaxMember member;
  member.path = std::move(path);
  member.attributes.mode = S_IFREG | 0644;
  return member;
}

TEST(PaxHeaderTest, IsAMultipleOfABlock) {
  const std::string header = pax_header(plain_file("etc/passwd"));
  EXPECT_EQ(header.size(), 3 * 512U);
  EXPECT_EQ(header.substr(1024, 11), std::string("etc/passwd\0", 11));
  EXPECT_EQ(header.substr(1024 + 257, 8), std::string("ustar\0"
                                                      "00",
                                                      8));
}

TEST(PaxHeaderTest, TimesBeforeTheEpochCountBackwards) {
  PaxMember member = plain_file("file");
  member.attributes.modified = {.tv_sec = -2, .tv_nsec = 500'000'000};
  EXPECT_THAT(pax_header(member), HasSubstr(" mtime=-1.5\n"));
  member.attributes.modified = {.tv_sec = -1, .tv_nsec = 999'999'999};
  EXPECT_THAT(pax_header(member), HasSubstr(" mtime=-0.000000001\n"));
  member.attributes.modified = {.tv_sec = -1, .tv_nsec = 0};
  EXPECT_THAT(pax_header(member), HasSubstr(" mtime=-1\n"));
}

TEST(PaxHeaderTest, LengthOfARecordCountsItself) {
  PaxMember member = plain_file("file");
  member.records.emplace_back("k", std::string(93, 'v'));
  EXPECT_THAT(pax_header(member), HasSubstr("99 k=vvv"));
  member.records.front().second += "v";
  EXPECT_THAT(pax_header(member), HasSubstr("101 k=vvv"));
}

TEST(PaxHeaderTest, LongNamesAreSplitAtASlashWhereTheyCanBe) {
  const std::string fits = std::string(155, 'p') + "/" + std::string(100, 'n');
  EXPECT_THAT(pax_header(plain_file(fits)), Not(HasSubstr("path=")));
  EXPECT_THAT(pax_header(plain_file("p" + fits)), HasSubstr(" path=p" + fits + "\n"));
  const std::string no_slash(101, 'n');
  EXPECT_THAT(pax_header(plain_file(no_slash)), HasSubstr(" path=" + no_slash + "\n"));
}

TEST(PaxHeaderTest, LongNamesThatAreNoUtf8AreDeclaredBinary) {
  EXPECT_THAT(pax_header(plain_file(std::string(120, '\xe9'))), HasSubstr("21 hdrcharset=BINARY\n"));
  EXPECT_THAT(pax_header(plain_file(std::string(120, 'e'))), Not(HasSubstr("hdrcharset")));
}

TEST(PaxHeaderTest, NumbersWithoutRoomAreRecords) {
  PaxMember member = plain_file("file");
  member.attributes.uid = 2097151;
  member.attributes.gid = 4294967294;
  member.attributes.size = std::uint64_t{1} << 33;
  const std::string header = pax_header(member);
  EXPECT_THAT(header, HasSubstr(" size=8589934592\n"));
  EXPECT_THAT(header, HasSubstr(" gid=4294967294\n"));
  EXPECT_THAT(header, Not(HasSubstr(" uid=")));
}

TEST(PaxHeaderTest, SparseFilesHaveAMapAndStoreTheirDataOnly) {
  PaxMember member = plain_file("folder/sparse");
  member.attributes.size = 1'000'000;
  member.sparse = true;
  member.runs = {{.offset = 4096, .length = 8192}, {.offset = 1'000'000, .length = 0}};
  const std::string header = pax_header(member);
  EXPECT_THAT(header, HasSubstr(" GNU.sparse.name=folder/sparse\n"));
  EXPECT_THAT(header, HasSubstr(" GNU.sparse.realsize=1000000\n"));
  EXPECT_EQ(header.substr(header.size() - 512, 28),
            std::string("2\n4096\n8192\n1000000\n0\n\0\0\0\0\0\0", 28));
  EXPECT_EQ(stored_size(member), 8192U);
}

TEST(PaxHeaderTest, HardLinksHaveNoContentsOfTheirOwn) {
  PaxMember member = plain_file("second");
  member.attributes.size = 5;
  member.hard_link = true;
  member.link = "first";
  EXPECT_EQ(stored_size(member), 0U);
}

TEST(PaxHeaderTest, NamesOfAttributesAreEncodedAsGnuTarDoes) {
  EXPECT_EQ(xattr_keyword("user.a=b%c"), "SCHILY.xattr.user.a%3Db%25c");
}

}  // namespace
}  // namespace vmfs
