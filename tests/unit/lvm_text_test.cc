// SPDX-License-Identifier: MIT
#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/lvm/config_text.h"
#include "formats/lvm/group_text.h"
#include "tests/unit/lvm_image.h"

namespace vmfs::lvm {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::lvm_group;
using testing::lvm_linear;
using testing::lvm_volume;

/// The error of a text that must not parse.
std::string error_of(std::string_view text) {
  const auto parsed = parse_config(text);
  return parsed ? "none" : parsed.error().what;
}

TEST(LvmConfigTest, KeysListsAndSections) {
  const auto root = parse_config("a = 1 # why\nb=\"two\"\nc = [\"x\", 2,\"y\"]\nd { e = -5 f = [] }\n");
  ASSERT_TRUE(root) << root.error().what;
  EXPECT_EQ(root->number("a"), 1U);
  EXPECT_EQ(root->text("b"), "two");
  EXPECT_THAT(root->texts("c"), ElementsAre("x", "y"));
  ASSERT_NE(root->find_section("d"), nullptr);
  EXPECT_FALSE(root->find_section("d")->number("e"));
  EXPECT_THAT(root->find_section("d")->texts("f"), IsEmpty());
}

TEST(LvmConfigTest, BackslashesInStrings) {
  const auto root = parse_config(R"(a = "x\"y\\z#{" b = 1)");
  ASSERT_TRUE(root) << root.error().what;
  EXPECT_EQ(root->text("a"), "x\"y\\z#{");
  EXPECT_EQ(root->number("b"), 1U);
}

TEST(LvmConfigTest, AKeyOfAnotherKindIsAbsent) {
  const auto root = parse_config("a = \"1\" b = 2 c { } d = [1, 2] e = 1.75");
  ASSERT_TRUE(root) << root.error().what;
  EXPECT_FALSE(root->number("a"));
  EXPECT_EQ(root->text("b"), "");
  EXPECT_EQ(root->find_key("c"), nullptr);
  EXPECT_EQ(root->find_section("b"), nullptr);
  EXPECT_FALSE(root->number("d"));
  EXPECT_EQ(root->number("e"), 1U);
}

TEST(LvmConfigTest, TheLineOfAnErrorIsSaid) {
  EXPECT_EQ(error_of("a = 1\nb {\nc = x\n}"), "LVM metadata text, line 3: neither a number nor a string");
}

TEST(LvmConfigTest, OpenEnds) {
  EXPECT_THAT(error_of("a {"), HasSubstr("a section has no end"));
  EXPECT_THAT(error_of("a = \"x\\\""), HasSubstr("a string has no end"));
  EXPECT_THAT(error_of("a = [1, 2"), HasSubstr("neither ',' nor ']'"));
  EXPECT_THAT(error_of("a ="), HasSubstr("neither a number nor a string"));
  EXPECT_THAT(error_of("a"), HasSubstr("neither a value nor a section"));
  EXPECT_THAT(error_of("}"), HasSubstr("no key"));
  EXPECT_THAT(error_of(std::string_view("a = 1\0", 6)), HasSubstr("no key"));
}

TEST(LvmConfigTest, NumbersTooLargeAreNone) {
  EXPECT_THAT(error_of("a = 9223372036854775808"), HasSubstr("neither a number"));
}

TEST(LvmConfigTest, DepthIsBounded) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "a{";
  EXPECT_THAT(error_of(text), HasSubstr("too many sections"));
}

TEST(LvmConfigTest, TheNumberOfItemsIsBounded) {
  std::string text = "a = [0";
  for (std::size_t i = 0; i < max_items; ++i) text += ",0";
  EXPECT_THAT(error_of(text + "]"), HasSubstr("too many keys and values"));
}

/// The error of a group's text.
std::string group_error(const std::string& text) {
  const auto group = parse_group(text);
  return group ? "none" : group.error().what;
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  text.replace(text.find(what), what.size(), with);
  return text;
}

const std::string sound = lvm_group("p", lvm_volume("lv", 4, lvm_linear("p", 2)), 7);

TEST(LvmGroupTest, WhatATextSays) {
  const auto group = parse_group("contents = \"Text Format Volume Group\"\nversion = 1\n" + sound);
  ASSERT_TRUE(group) << group.error().what;
  EXPECT_EQ(group->name, "vg");
  EXPECT_EQ(group->seqno, 7U);
  EXPECT_EQ(group->extent_size, 4096U);
  ASSERT_EQ(group->physical_volumes.size(), 1U);
  EXPECT_EQ(group->physical_volumes[0].pe_start, 65536U);
  ASSERT_EQ(group->logical_volumes.size(), 1U);
  EXPECT_EQ(group->logical_volumes[0].size, 16384U);
  EXPECT_TRUE(group->logical_volumes[0].visible);
}

TEST(LvmGroupTest, FlagsBehindATypeAreApart) {
  const auto group = parse_group(replaced(sound, "\"striped\"", "\"striped+ODD\""));
  ASSERT_TRUE(group) << group.error().what;
  EXPECT_EQ(group->logical_volumes[0].segments[0].type, "striped");
  EXPECT_EQ(group->logical_volumes[0].segments[0].flags, "+ODD");
}

TEST(LvmGroupTest, MissingFlagOfAPhysicalVolume) {
  const auto group =
      parse_group(replaced(sound, "\"ALLOCATABLE\"]", "\"ALLOCATABLE\"]\nflags = [\"MISSING\"]"));
  ASSERT_TRUE(group) << group.error().what;
  EXPECT_TRUE(group->physical_volumes[0].missing);
}

TEST(LvmGroupTest, NamesThatAreNone) {
  EXPECT_THAT(group_error(replaced(sound, "vg {", "-vg {")), HasSubstr("no name of a group"));
  EXPECT_THAT(group_error(replaced(sound, "lv {", "\"../lv\" {")), HasSubstr("no name of a volume"));
  EXPECT_THAT(group_error(replaced(sound, "lv {", "\"l\nv\" {")), HasSubstr("'l\\x0av' is no name"));
  EXPECT_THAT(group_error(replaced(sound, "lv {", std::string(128, 'x') + " {")),
              HasSubstr("no name of a volume"));
}

TEST(LvmGroupTest, ValuesThatCannotBe) {
  EXPECT_THAT(group_error("a = 1"), HasSubstr("no volume group in it"));
  EXPECT_THAT(group_error(replaced(sound, "extent_size = 8", "extent_size = 0")),
              HasSubstr("extent_size is 0"));
  EXPECT_THAT(group_error(replaced(sound, "extent_size = 8", "extent_size = 4294967297")),
              HasSubstr("extent_size is 4294967297"));
  EXPECT_THAT(group_error(replaced(sound, "pe_start = 128", "pe_start = 9223372036854775807")),
              HasSubstr("pe_start"));
  EXPECT_THAT(group_error(replaced(sound, "extent_count = 4", "extent_count = 0")), HasSubstr("no extents"));
  EXPECT_THAT(group_error(replaced(sound, "extent_count = 4", "extent_count = 4294967296")),
              HasSubstr("extent_count"));
  EXPECT_THAT(group_error(replaced(sound, "start_extent = 0", "start_extent = 1")),
              HasSubstr("starts at 4096"));
  EXPECT_THAT(group_error(replaced(sound, "segment_count = 1", "segment_count = 2")),
              HasSubstr("segment_count"));
  EXPECT_THAT(group_error(replaced(sound, "\"lvm2\"", "\"lvm9\"")), HasSubstr("has format lvm9"));
  EXPECT_THAT(group_error(replaced(sound, "llllll", "x")), HasSubstr("is no UUID"));
}

TEST(LvmGroupTest, TwoVolumesOfOneName) {
  const std::string volume = lvm_volume("lv", 4, lvm_linear("p", 0));
  EXPECT_THAT(group_error(lvm_group("p", volume + volume)), HasSubstr("two volumes are called lv"));
  EXPECT_THAT(group_error(lvm_group("pp", volume)), HasSubstr("two volumes are called p"));
}

TEST(LvmGroupTest, SizesDoNotOverflow) {
  const std::string huge = replaced(sound, "extent_size = 8", "extent_size = 4294967295");
  EXPECT_THAT(group_error(replaced(huge, "extent_count = 4", "extent_count = 4294967295")),
              HasSubstr("extent_count"));
}

TEST(LvmGroupTest, ListsOfAreas) {
  const auto areas = [](std::string_view text) { return parse_areas(*parse_config(text), "stripes"); };
  ASSERT_TRUE(areas("stripes = [\"a\", 1, \"b\", 2]"));
  EXPECT_EQ(areas("stripes = [\"a\", 1, \"b\", 2]")->at(1).extent, 2U);
  EXPECT_FALSE(areas("stripes = [\"a\"]"));
  EXPECT_FALSE(areas("stripes = [1, \"a\"]"));
  EXPECT_FALSE(areas("stripes = [\"a\", -1]"));
  EXPECT_FALSE(areas("stripes = [\"a\", 4294967296]"));
  EXPECT_FALSE(areas("other = 1"));
}

}  // namespace
}  // namespace vmfs::lvm
