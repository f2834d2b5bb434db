// SPDX-License-Identifier: MIT
// What the log had begun and did not end, finished on real inodes.
#include <map>
#include <string>

#include <gmock/gmock.h>

#include "fs/xfs/attr.h"
#include "fs/xfs/inode.h"
#include "fs/xfs/log/finish.h"
#include "tests/unit/xfs_image.h"
#include "tests/unit/xfs_log_image.h"

namespace vmfs::tests {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Key;
using testing::Not;
using xfs::Intent;
using xfs::LogItemType;

std::vector<std::byte> bytes_of_text(const std::string& text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

template <class Body>
std::vector<std::byte> first_region(LogItemType type, const Body& body) {
  return bytes_of(xfs::IntentHead{.type = static_cast<std::uint16_t>(type),
                                  .size = std::uint16_t{1},
                                  .nextents = 1U,
                                  .id = std::uint64_t{1}}) +
         bytes_of(body);
}

class XfsFinishTest : public testing::Test {
 protected:
  explicit XfsFinishTest(const std::string& name)
      : image(name),
        volume(image.disk, *xfs::read_superblock(*image.disk, true, [](const auto&) {}), 64 << 10, true) {}

  std::uint64_t number_of(std::string_view path) const {
    return static_cast<std::uint64_t>(at(*image.opened(), path));
  }

  std::uint64_t finish(const Intent& intent) {
    return xfs::finish_intents(volume, {intent},
                               [this](const std::string& line) { warnings.push_back(line); });
  }

  XfsImage image;
  xfs::Volume volume;
  std::vector<std::string> warnings;
};

class XfsFinishAttributeTest : public XfsFinishTest {
 protected:
  XfsFinishAttributeTest() : XfsFinishTest("attributes") {}

  Intent intent(std::uint32_t what, const std::string& name, const std::string& value) const {
    const xfs::AttriLogFormat format{.alfi_ino = number,
                                     .alfi_op_flags = what,
                                     .alfi_name_len = static_cast<std::uint32_t>(name.size()),
                                     .alfi_value_len = static_cast<std::uint32_t>(value.size()),
                                     .alfi_attr_filter = 0U};
    Intent made{.type = LogItemType::attri,
                .regions = {first_region(LogItemType::attri, format), bytes_of_text(name)}};
    if (!value.empty()) made.regions.push_back(bytes_of_text(value));
    return made;
  }

  // Those of the user.
  std::map<std::string, std::string> attributes() const {
    std::map<std::string, std::string> all;
    const auto inode = read_inode(volume, number);
    EXPECT_TRUE(inode) << inode.error().what;
    const auto done = visit_attributes(volume, *inode, [&](const xfs::AttrEntry& entry) -> Result<bool> {
      constexpr std::uint32_t others = xfs::attr_flag::root | xfs::attr_flag::secure | xfs::attr_flag::parent;
      if ((entry.flags & others) == 0) all[std::string(entry.name)] = *attribute_value(volume, *inode, entry);
      return true;
    });
    EXPECT_TRUE(done) << done.error().what;
    return all;
  }

  std::uint64_t number = number_of("leaf");
};

TEST_F(XfsFinishAttributeTest, OneThatWasBeingSetIsThere) {
  const auto before = attributes();
  EXPECT_EQ(finish(intent(xfs::attri_op::set, "new", "value")), 1U);
  auto after = attributes();
  EXPECT_EQ(after["new"], "value");
  after.erase("new");
  EXPECT_EQ(after, before);
}

TEST_F(XfsFinishAttributeTest, OneWithoutAValueIsEmpty) {
  EXPECT_EQ(finish(intent(xfs::attri_op::set, "new", "")), 1U);
  EXPECT_EQ(attributes().at("new"), "");
}

TEST_F(XfsFinishAttributeTest, OneThatWasBeingRemovedIsGone) {
  auto before = attributes();
  ASSERT_THAT(before, Contains(Key("name-1")));
  EXPECT_EQ(finish(intent(xfs::attri_op::remove, "name-1", "")), 1U);
  before.erase("name-1");
  EXPECT_EQ(attributes(), before);
}

TEST_F(XfsFinishAttributeTest, OneThatWasBeingReplacedHasItsNewValue) {
  auto before = attributes();
  EXPECT_EQ(finish(intent(xfs::attri_op::replace, "name-1", "another")), 1U);
  before["name-1"] = "another";
  EXPECT_EQ(attributes(), before);
}

TEST_F(XfsFinishAttributeTest, TheLastIntentOfANameCounts) {
  EXPECT_EQ(finish(intent(xfs::attri_op::set, "new", "value")), 1U);
  EXPECT_EQ(finish(intent(xfs::attri_op::remove, "new", "")), 1U);
  EXPECT_THAT(attributes(), Not(Contains(Key("new"))));
}

TEST_F(XfsFinishAttributeTest, ParentPointersAreNotShown) {
  const auto before = attributes();
  EXPECT_EQ(finish(intent(4, "pointer", "value")), 1U);
  EXPECT_EQ(attributes(), before);
}

TEST_F(XfsFinishAttributeTest, NameLongerThanItsRegionIsNamed) {
  Intent damaged = intent(xfs::attri_op::set, "new", "value");
  damaged.regions[1].resize(2);
  EXPECT_EQ(finish(damaged), 0U);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("an attribute of inode " + std::to_string(number))));
}

class XfsFinishMapTest : public XfsFinishTest {
 protected:
  XfsFinishMapTest() : XfsFinishTest("files") {}

  Intent intent(std::uint32_t flags, std::uint64_t file_block, std::uint32_t count) const {
    const xfs::MapExtent map{.me_owner = number,
                             .me_startblock = std::uint64_t{20},
                             .me_startoff = file_block,
                             .me_len = count,
                             .me_flags = flags};
    return {.type = LogItemType::bui, .regions = {first_region(LogItemType::bui, map)}};
  }

  std::uint64_t blocks() const { return read_inode(volume, number)->blocks; }

  std::uint64_t number = number_of("holes");
};

constexpr std::uint64_t far = 1U << 20;  // behind all extents

TEST_F(XfsFinishMapTest, BlocksThatWereBeingMappedAreThereUntilTheyAreUnmapped) {
  const std::uint64_t before = blocks();
  EXPECT_EQ(finish(intent(xfs::bmap_intent::map, far, 3)), 1U);
  EXPECT_EQ(blocks(), before + 3);
  EXPECT_EQ(finish(intent(xfs::bmap_intent::unmap, far + 1, 5)), 1U);
  EXPECT_EQ(blocks(), before + 1);
}

TEST_F(XfsFinishMapTest, BlocksThatAreMappedAlreadyAreNamed) {
  EXPECT_EQ(finish(intent(xfs::bmap_intent::map, far, 3)), 1U);
  EXPECT_EQ(finish(intent(xfs::bmap_intent::map, far + 2, 3)), 0U);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("the blocks of inode " + std::to_string(number))));
}

TEST_F(XfsFinishMapTest, UnknownKindOfChangeIsNamed) {
  EXPECT_EQ(finish(intent(7, far, 3)), 0U);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("me_flags 0x7")));
}

TEST_F(XfsFinishMapTest, ExchangeGoesBothWaysWithItsSizes) {
  const std::uint64_t other = number_of("tree");
  const auto one = *read_inode(volume, number);
  const auto two = *read_inode(volume, other);
  ASSERT_NE(one.size, two.size);
  const xfs::XmiLogFormat format{.xmi_inode1 = number,
                                 .xmi_inode2 = other,
                                 .xmi_igen1 = one.generation,
                                 .xmi_igen2 = two.generation,
                                 .xmi_startoff1 = std::uint64_t{0},
                                 .xmi_startoff2 = std::uint64_t{0},
                                 .xmi_blockcount = far,
                                 .xmi_flags = xfs::exchmaps::set_sizes,
                                 .xmi_isize1 = one.size,
                                 .xmi_isize2 = two.size};
  EXPECT_EQ(finish({.type = LogItemType::xmi, .regions = {first_region(LogItemType::xmi, format)}}), 1U);
  EXPECT_EQ(read_inode(volume, number)->size, two.size);
  EXPECT_EQ(read_inode(volume, other)->size, one.size);
  EXPECT_EQ(read_inode(volume, number)->data.extents, two.data.extents);
}

TEST_F(XfsFinishMapTest, ExchangeWithAnotherGenerationIsNamed) {
  const xfs::XmiLogFormat format{.xmi_inode1 = number,
                                 .xmi_inode2 = number_of("tree"),
                                 .xmi_igen1 = ~read_inode(volume, number)->generation,
                                 .xmi_igen2 = 0U,
                                 .xmi_startoff1 = std::uint64_t{0},
                                 .xmi_startoff2 = std::uint64_t{0},
                                 .xmi_blockcount = std::uint64_t{1},
                                 .xmi_flags = std::uint64_t{0},
                                 .xmi_isize1 = std::uint64_t{0},
                                 .xmi_isize2 = std::uint64_t{0}};
  EXPECT_EQ(finish({.type = LogItemType::xmi, .regions = {first_region(LogItemType::xmi, format)}}), 0U);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("generation")));
}

}  // namespace
}  // namespace vmfs::tests
