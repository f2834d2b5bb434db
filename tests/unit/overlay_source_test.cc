// SPDX-License-Identifier: MIT
#include "formats/overlay_source.h"

#include <cerrno>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace vmfs {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

OverlaySource letters() {
  return OverlaySource(std::make_shared<MemorySource>(bytes_of("abcdefghijklmnopqrstuvwxyz")));
}

std::string text(const Source& source) {
  std::string out(source.size(), '\0');
  const auto done = read(source, 0, std::as_writable_bytes(std::span(out)));
  return done ? out : "error: " + done.error().what;
}

TEST(OverlaySourceTest, WithoutChangesItIsItsBase) {
  const OverlaySource overlay = letters();
  EXPECT_EQ(text(overlay), "abcdefghijklmnopqrstuvwxyz");
  EXPECT_EQ(overlay.memory(), 0U);
}

TEST(OverlaySourceTest, PlacedRunsLieElsewhereInTheBase) {
  OverlaySource overlay = letters();
  ASSERT_TRUE(overlay.place(2, 3, 20));
  EXPECT_EQ(text(overlay), "abuvwfghijklmnopqrstuvwxyz");
  const auto extent = overlay.map(2, 100);
  ASSERT_TRUE(extent);
  EXPECT_NE(extent->decoder, &overlay);
  EXPECT_EQ(extent->offset, 20U);
  EXPECT_EQ(extent->length, 3U);
  EXPECT_EQ(overlay.memory(), 0U);
}

TEST(OverlaySourceTest, PlacedRunsThatGoOnAreOne) {
  OverlaySource overlay = letters();
  ASSERT_TRUE(overlay.place(2, 3, 20));
  ASSERT_TRUE(overlay.place(5, 2, 23));
  EXPECT_EQ(overlay.map(2, 100)->length, 5U);
}

TEST(OverlaySourceTest, RunsMayLieInAnotherSource) {
  OverlaySource overlay = letters();
  const auto digits = std::make_shared<MemorySource>(bytes_of("0123456789"));
  ASSERT_TRUE(overlay.place(2, 3, digits, 4));
  ASSERT_TRUE(overlay.place(5, 2, digits, 7));
  ASSERT_TRUE(overlay.place(7, 2, 9));
  EXPECT_EQ(overlay.map(2, 100)->length, 5U);
  EXPECT_EQ(text(overlay), "ab45678jkjklmnopqrstuvwxyz");
  ASSERT_TRUE(overlay.put(3, bytes_of("-")));
  EXPECT_EQ(text(overlay), "ab4-678jkjklmnopqrstuvwxyz");
  EXPECT_EQ(overlay.place(0, 2, digits, 9).error().code, EINVAL);
}

TEST(OverlaySourceTest, BytesInMemoryAreDecodedByTheOverlay) {
  OverlaySource overlay = letters();
  ASSERT_TRUE(overlay.put(4, bytes_of("EFG")));
  ASSERT_TRUE(overlay.put(7, bytes_of("HI")));
  EXPECT_EQ(text(overlay), "abcdEFGHIjklmnopqrstuvwxyz");
  const auto extent = overlay.map(5, 100);
  ASSERT_TRUE(extent);
  EXPECT_EQ(extent->decoder, &overlay);
  EXPECT_EQ(extent->length, 4U);
  EXPECT_EQ(overlay.memory(), 5U);
}

TEST(OverlaySourceTest, ALaterChangeHidesWhatItCovers) {
  OverlaySource overlay = letters();
  ASSERT_TRUE(overlay.put(4, bytes_of("EFGHIJ")));
  ASSERT_TRUE(overlay.place(6, 2, 0));
  EXPECT_EQ(text(overlay), "abcdEFabIJklmnopqrstuvwxyz");
  EXPECT_EQ(overlay.memory(), 4U);
  ASSERT_TRUE(overlay.put(3, bytes_of("---------")));
  EXPECT_EQ(text(overlay), "abc---------mnopqrstuvwxyz");
  EXPECT_EQ(overlay.memory(), 9U);
}

TEST(OverlaySourceTest, ARunPlacedWhereItLiesIsTheBaseAgain) {
  OverlaySource overlay = letters();
  ASSERT_TRUE(overlay.put(4, bytes_of("EFGHIJ")));
  ASSERT_TRUE(overlay.place(4, 6, 4));
  EXPECT_EQ(text(overlay), "abcdefghijklmnopqrstuvwxyz");
  EXPECT_EQ(overlay.map(0, 100)->length, 26U);
  EXPECT_EQ(overlay.memory(), 0U);
}

TEST(OverlaySourceTest, ChangesOutsideTheBaseAreRefused) {
  OverlaySource overlay = letters();
  EXPECT_EQ(overlay.put(25, bytes_of("YZ")).error().code, EINVAL);
  EXPECT_EQ(overlay.place(UINT64_MAX, 2, 0).error().code, EINVAL);
  EXPECT_EQ(overlay.place(0, 2, 25).error().code, EINVAL);
  EXPECT_EQ(text(overlay), "abcdefghijklmnopqrstuvwxyz");
}

TEST(OverlaySourceTest, RandomChangesAreThoseOfAPlainCopy) {
  const std::string base = "abcdefghijklmnopqrstuvwxyz";
  std::mt19937 random(1);
  OverlaySource overlay = letters();
  std::string plain = base;
  for (int change = 0; change < 2000; ++change) {
    const std::size_t offset = random() % base.size();
    const std::size_t length = random() % (base.size() - offset + 1);
    const std::size_t from = random() % (base.size() - length + 1);
    if (random() % 2 == 0) {
      ASSERT_TRUE(overlay.place(offset, length, from));
      plain.replace(offset, length, base.substr(from, length));
    } else {
      const std::string fresh(length, static_cast<char>('A' + change % 26));
      ASSERT_TRUE(overlay.put(offset, bytes_of(fresh)));
      plain.replace(offset, length, fresh);
    }
    ASSERT_EQ(text(overlay), plain) << "change " << change;
  }
}

}  // namespace
}  // namespace vmfs
