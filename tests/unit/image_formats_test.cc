// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "formats/image_format.h"

namespace vmfs {
namespace {

/// What a file of 1 KiB with `magic` at `offset`, called `name`, is taken for: a format or an errno.
std::string probed(std::string_view magic, std::size_t offset, const char* name) {
  std::vector<std::byte> bytes(1024);
  std::ranges::copy(std::as_bytes(std::span(magic)), bytes.begin() + static_cast<std::ptrdiff_t>(offset));
  const auto format = probe_format(MemorySource(std::move(bytes)), name, [](const auto&) {});
  return format ? std::string((*format)->name) : ::strerrorname_np(format.error().code);
}

constexpr std::string_view qcow2_magic{"QFI\xfb\0\0\0\3", 8};
constexpr std::string_view qcow_magic{"QFI\xfb\0\0\0\1", 8};

TEST(ImageFormatsTest, MagicNumberDecides) {
  EXPECT_EQ(probed(qcow2_magic, 0, "disk.img"), "qcow2");
  EXPECT_EQ(probed(qcow_magic, 0, "disk.img"), "qcow");
  EXPECT_EQ(probed("", 0, "disk.img"), "raw");
}

TEST(ImageFormatsTest, NameRawWins) {
  EXPECT_EQ(probed(qcow2_magic, 0, "disk.raw"), "raw");
  EXPECT_EQ(probed(qcow2_magic, 0, "DISK.RAW"), "raw");
}

TEST(ImageFormatsTest, RawIsNeverGuessedUnderTheNameOfAnotherFormat) {
  EXPECT_EQ(probed("", 0, "disk.qcow2"), "EINVAL");
  EXPECT_EQ(probed("", 0, "disk.VMDK"), "EINVAL");
}

TEST(ImageFormatsTest, ForeignFormatsAreRefused) {
  EXPECT_EQ(probed("KDMV", 0, "disk"), "EOPNOTSUPP");
  EXPECT_EQ(probed("conectix", 512, "disk"), "EOPNOTSUPP");
  EXPECT_EQ(probed("\x7f\x10\xda\xbe", 64, "disk"), "EOPNOTSUPP");
}

TEST(ImageFormatsTest, FooterMagicElsewhereMeansNothing) {
  EXPECT_EQ(probed("conectix", 100, "disk"), "raw");
}

TEST(ImageFormatsTest, EmptyFileIsRaw) {
  const auto format = probe_format(MemorySource({}), "disk", [](const auto&) {});
  ASSERT_TRUE(format);
  EXPECT_EQ((*format)->name, "raw");
}

}  // namespace
}  // namespace vmfs
