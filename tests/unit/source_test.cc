// SPDX-License-Identifier: MIT
#include "formats/source.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/mapped_source.h"

namespace vmfs {
namespace {

std::shared_ptr<const Source> letters() {
  std::vector<std::byte> bytes;
  for (char c = 'a'; c <= 'z'; ++c) bytes.push_back(static_cast<std::byte>(c));
  return std::make_shared<MemorySource>(std::move(bytes));
}

std::string text(const Source& source, std::uint64_t offset, std::size_t length) {
  std::string out(length, '\0');
  auto done = read(source, offset, std::as_writable_bytes(std::span(out)));
  return done ? out : "error: " + done.error().what;
}

TEST(SourceTest, ReadGathersWhatItIsAskedFor) {
  EXPECT_EQ(text(*letters(), 3, 4), "defg");
}

TEST(SourceTest, ReadAcrossTheEndIsRefused) {
  std::byte bytes[2];
  const auto done = read(*letters(), 25, bytes);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, EINVAL);
}

TEST(SourceTest, MapBehindTheEndIsRefused) {
  EXPECT_EQ(letters()->map(26, 1).error().code, EINVAL);
}

TEST(SourceTest, MapNeverPassesTheEnd) {
  EXPECT_EQ(letters()->map(20, 100)->length, 6U);
}

TEST(SourceTest, SubSourceShowsItsPart) {
  const auto part = SubSource::create(letters(), 10, 5);
  ASSERT_TRUE(part);
  EXPECT_EQ((*part)->size(), 5U);
  EXPECT_EQ(text(**part, 1, 3), "lmn");
}

TEST(SourceTest, SubSourceOutsideItsParentIsRefused) {
  EXPECT_EQ(SubSource::create(letters(), 20, 7).error().code, EINVAL);
  EXPECT_EQ(SubSource::create(letters(), UINT64_MAX, 2).error().code, EINVAL);
}

/// What is asked of a source for these pieces, as offsets and ends.
std::vector<std::pair<std::uint64_t, std::uint64_t>> asked_for(std::vector<Piece> pieces) {
  const test::MappedSource source(std::make_shared<MemorySource>(std::vector<std::byte>(1 << 20)));
  will_need(source, std::move(pieces));
  std::vector<std::pair<std::uint64_t, std::uint64_t>> asked;
  for (const Piece& piece : source.take()) asked.emplace_back(piece.offset, piece.offset + piece.size);
  return asked;
}

TEST(WillNeedTest, NeighboursAreOneRequest) {
  using ::testing::ElementsAre;
  using ::testing::Pair;
  EXPECT_THAT(asked_for({{8192, 4096}, {0, 4096}, {0, 1024}}), ElementsAre(Pair(0, 12288)));
  EXPECT_THAT(asked_for({{0, 65536}, {4096, 4096}}), ElementsAre(Pair(0, 65536)));
  EXPECT_THAT(asked_for({{524288, 4096}, {0, 4096}}), ElementsAre(Pair(0, 4096), Pair(524288, 528384)));
}

TEST(WillNeedTest, NothingAndWhatIsNotThereAreNoRequest) {
  using ::testing::IsEmpty;
  EXPECT_THAT(asked_for({}), IsEmpty());
  EXPECT_THAT(asked_for({{4096, 0}, {0, 0}}), IsEmpty());
  EXPECT_THAT(asked_for({{1 << 20, 4096}}), IsEmpty());
}

TEST(EndianTest, IntegersKeepTheirByteOrder) {
  const be32 big = 0x01020304;
  const le32 little = 0x01020304;
  EXPECT_EQ(std::to_integer<int>(std::bit_cast<std::array<std::byte, 4>>(big)[0]), 1);
  EXPECT_EQ(std::to_integer<int>(std::bit_cast<std::array<std::byte, 4>>(little)[0]), 4);
  EXPECT_EQ(std::uint32_t{big}, std::uint32_t{little});
}

}  // namespace
}  // namespace vmfs
