// SPDX-License-Identifier: MIT
#include "launcher/files/find_printf.h"

#include <cstdlib>

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "tests/unit/fake_filesystem.h"

namespace vmfs {
namespace {

class FindPrintfTest : public ::testing::Test {
 protected:
  FindPrintfTest() {
    ::setenv("TZ", "UTC0", 1);
    ::tzset();
    entry_.path = "etc/sub/file";
    entry_.depth = 2;
    entry_.attributes.mode = S_IFREG | 0640;
    entry_.attributes.size = 1234;
    entry_.attributes.blocks = 9;
    entry_.attributes.modified = {.tv_sec = 1'000'000'000, .tv_nsec = 5'000'000};
  }

  std::string text(std::string_view format) {
    const auto parsed = parse_find_format(format, context_);
    return parsed ? (*parsed)(entry_) : parsed.error().what;
  }

  std::string at(std::string path, std::size_t depth) {
    entry_.path = std::move(path);
    entry_.depth = depth;
    return text("%P|%h|%f");
  }

  testing::FakeFilesystem filesystem_;
  Accounts accounts_;
  FindContext context_{.filesystem = filesystem_, .accounts = accounts_};
  WalkEntry entry_;
};

TEST_F(FindPrintfTest, PartsOfAPathAreThoseOfFind) {
  EXPECT_EQ(at("etc/sub/file", 2), "sub/file|etc/sub|file");
  EXPECT_EQ(at("/", 0), "||/");
  EXPECT_EQ(at("/etc", 1), "etc||etc");
  EXPECT_EQ(at("/etc/passwd", 2), "etc/passwd|/etc|passwd");
  EXPECT_EQ(at("etc//", 0), "|.|etc/");
  EXPECT_EQ(at("etc", 0), "|.|etc");
  EXPECT_EQ(at(".", 0), "|.|.");
}

TEST_F(FindPrintfTest, NumbersAndTextsArePadded) {
  EXPECT_EQ(text("[%6s][%-6s][%b][%k]"), "[  1234][1234  ][9][5]");
  EXPECT_EQ(text("[%m][%#m][%05m][%M][%3y]"), "[640][0640][00640][-rw-r-----][  f]");
  EXPECT_EQ(text("[%.2p]"), "[et]");
}

TEST_F(FindPrintfTest, SecondsHaveAFraction) {
  EXPECT_EQ(text("%T@"), "1000000000.0050000000");
  EXPECT_EQ(text("%T+"), "2001-09-09+01:46:40.0050000000");
  EXPECT_EQ(text("%t"), "Sun Sep  9 01:46:40.0050000000 2001");
  EXPECT_EQ(text("%TY-%TS"), "2001-40.0050000000");
}

TEST_F(FindPrintfTest, EscapesAreThoseOfC) {
  EXPECT_EQ(text(R"(a\t\\\101\0602%%)"), "a\t\\A02%");
  EXPECT_EQ(text(R"(a\cb)"), "a");
  EXPECT_EQ(text(R"(\0)"), std::string(1, '\0'));
}

TEST_F(FindPrintfTest, WhatIsNotKnownIsNamed) {
  EXPECT_EQ(text("%"), "-printf: the format ends in '%'");
  EXPECT_EQ(text("%T"), "-printf: the format ends in '%T'");
  EXPECT_EQ(text("\\"), "-printf: the format ends in '\\'");
  EXPECT_EQ(text("%F"), "-printf: no directive is '%F'");
  EXPECT_EQ(text("%Ti"), "-printf: no directive is '%Ti'");
  EXPECT_EQ(text(R"(\x)"), R"(-printf: no escape is '\x')");
}

TEST_F(FindPrintfTest, ATerminalGetsNoControlCharacters) {
  context_.printable_only = true;
  entry_.path = "a\x1b[2J";
  EXPECT_EQ(text("%p\n"), "a\\x1b[2J\n");
}

}  // namespace
}  // namespace vmfs
