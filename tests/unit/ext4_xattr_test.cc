// SPDX-License-Identifier: MIT
#include <cerrno>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fs/ext4/xattr.h"
#include "tests/unit/ext4_image.h"

namespace vmfs::test {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

void touch(const std::filesystem::path& folder) {
  std::ofstream(folder / "f") << "";
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

TEST(Ext4XattrTest, AttributesOfAllNamespacesAreShown) {
  Ext4Image image("-t ext4 -I 256", "4M", touch);
  image.debugfs(
      "ea_set f user.a 1\nea_set f trusted.overlay.opaque y\nea_set f security.selinux label\nea_set f "
      "user.none \"\"");
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  const Inode file = resolve(**filesystem, "f");
  EXPECT_THAT(*(*filesystem)->xattr_names(file),
              UnorderedElementsAre("user.a", "trusted.overlay.opaque", "security.selinux", "user.none"));
  EXPECT_EQ(*(*filesystem)->xattr(file, "user.a"), "1");
  EXPECT_EQ(*(*filesystem)->xattr(file, "trusted.overlay.opaque"), "y");
  EXPECT_EQ(*(*filesystem)->xattr(file, "user.none"), "");
  EXPECT_EQ(code_of((*filesystem)->xattr(file, "user.b")), ENODATA);
  EXPECT_EQ(code_of((*filesystem)->xattr(file, "unknown")), ENODATA);
}

TEST(Ext4XattrTest, LargeValuesLieInABlock) {
  Ext4Image image("-t ext4 -I 256", "4M", touch);
  image.run("head -c 900 /dev/zero | tr '\\0' v > value");
  image.debugfs("ea_set f user.small 1\nea_set -f value f user.large");
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  const Inode file = resolve(**filesystem, "f");
  EXPECT_EQ((*filesystem)->stat(file)->blocks, 2U);
  EXPECT_EQ(*(*filesystem)->xattr(file, "user.large"), std::string(900, 'v'));
  EXPECT_EQ(*(*filesystem)->xattr(file, "user.small"), "1");
}

TEST(Ext4XattrTest, LargerValuesLieInAnInode) {
  Ext4Image image("-t ext4 -b 4096 -O ea_inode", "8M", touch);
  image.run("head -c 4096 /dev/zero | tr '\\0' v > value");
  image.debugfs("ea_set -f value f user.huge");
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_EQ(*(*filesystem)->xattr(resolve(**filesystem, "f"), "user.huge"), std::string(4096, 'v'));
}

TEST(Ext4XattrTest, ABlockWithAWrongChecksumHidesItsAttributesOnly) {
  Ext4Image image("-t ext4 -b 1024 -I 128", "4M", touch);
  image.debugfs("ea_set f user.a unmistakable");
  const auto found = std::ranges::search(image.bytes(), bytes_of("unmistakable"));
  ASSERT_FALSE(found.empty());
  found.front() ^= std::byte{1};
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  const Inode file = resolve(**filesystem, "f");
  EXPECT_EQ(code_of((*filesystem)->xattr_names(file)), EBADMSG);
  EXPECT_EQ(contents_of(**filesystem, "f"), "");
}

TEST(Ext4XattrTest, InlineDataAndEncryptionContextsAreHidden) {
  Ext4Image image("-t ext4 -O inline_data", "4M",
                  [](const auto& folder) { std::ofstream(folder / "f") << std::string(100, 'x'); });
  const auto filesystem = image.open();
  ASSERT_TRUE(filesystem) << filesystem.error().what;
  EXPECT_THAT(*(*filesystem)->xattr_names(resolve(**filesystem, "f")), ElementsAre());
  EXPECT_EQ(code_of((*filesystem)->xattr(resolve(**filesystem, "f"), "system.data")), ENODATA);
}

TEST(Ext4XattrTest, AclsTakeTheKernelsForm) {
  const std::string disk(
      "\1\0\0\0"
      "\1\0\6\0"
      "\2\0\7\0\xd2\4\0\0"
      "\4\0\5\0"
      "\x10\0\7\0"
      "\x20\0\4\0",
      28);
  const std::string user(
      "\2\0\0\0"
      "\1\0\6\0\xff\xff\xff\xff"
      "\2\0\7\0\xd2\4\0\0"
      "\4\0\5\0\xff\xff\xff\xff"
      "\x10\0\7\0\xff\xff\xff\xff"
      "\x20\0\4\0\xff\xff\xff\xff",
      44);
  EXPECT_EQ(*ext4::acl_from_disk(bytes_of(disk)), user);
}

TEST(Ext4XattrTest, DamagedAclsAreRefused) {
  EXPECT_EQ(code_of(ext4::acl_from_disk(bytes_of(std::string("\2\0\0\0", 4)))), EINVAL);
  EXPECT_EQ(code_of(ext4::acl_from_disk(bytes_of(std::string("\1\0\0\0\2\0\7\0", 8)))), EINVAL);
  EXPECT_EQ(code_of(ext4::acl_from_disk(bytes_of(std::string("\1\0\0\0\3\0\7\0", 8)))), EINVAL);
  EXPECT_EQ(code_of(ext4::acl_from_disk(bytes_of("x"))), EINVAL);
}

}  // namespace
}  // namespace vmfs::test
