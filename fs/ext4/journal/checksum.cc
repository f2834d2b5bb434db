// SPDX-License-Identifier: MIT
#include "fs/ext4/journal/checksum.h"

#include <array>

#include "fs/ext4/crc32c.h"

namespace vmfs::ext4 {
namespace {

constexpr std::uint32_t crc32_polynomial = 0x04c11db7;
constexpr std::uint32_t top_bit = 0x80000000;

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t crc = byte << 24;
    for (int bit = 0; bit < 8; ++bit) crc = (crc << 1) ^ ((crc & top_bit) != 0 ? crc32_polynomial : 0);
    table[byte] = crc;
  }
  return table;
}

constexpr auto crc32_table = make_table();

/// The checksum over `block` as if its four bytes at `offset` were zeros.
std::uint32_t checksum_without(std::uint32_t seed, std::span<const std::byte> block, std::size_t offset) {
  constexpr std::array<std::byte, 4> zeros{};
  const std::uint32_t crc = crc32c(crc32c(seed, block.first(offset)), zeros);
  return crc32c(crc, block.subspan(offset + zeros.size()));
}

}  // namespace

std::uint32_t crc32_be(std::uint32_t crc, std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes)
    crc = (crc << 8) ^ crc32_table[(crc >> 24) ^ std::to_integer<unsigned>(byte)];
  return crc;
}

bool is_tail_right(const Journal& journal, std::span<const std::byte> block) {
  if (!journal.has_block_checksums()) return true;
  const std::size_t tail = journal.payload_end();
  return from_bytes<be32>(block.subspan(tail)) == checksum_without(journal.checksum_seed(), block, tail);
}

bool is_commit_right(const Journal& journal, std::span<const std::byte> block) {
  if (!journal.has_block_checksums()) return true;
  constexpr std::size_t field = offsetof(CommitBlock, h_chksum);
  const std::uint32_t stored = from_bytes<be32>(block.subspan(field));
  if (stored == checksum_without(journal.checksum_seed(), block, field)) return true;
  const std::array<std::byte, 1024> zeros{};
  const auto header = block.first(sizeof(CommitBlock));
  std::uint32_t crc = checksum_without(journal.checksum_seed(), header, field);
  for (std::size_t left = block.size() - header.size(); left > 0;) {
    const std::size_t count = left < zeros.size() ? left : zeros.size();
    crc = crc32c(crc, std::span(zeros).first(count));
    left -= count;
  }
  return stored == crc;
}

bool is_logged_block_right(const Journal& journal, const Tag& tag, std::uint32_t sequence,
                           std::span<const std::byte> block) {
  if (!journal.has_block_checksums()) return true;
  const be32 number = sequence;
  const std::uint32_t seed = crc32c(journal.checksum_seed(), std::as_bytes(std::span(&number, 1)));
  const std::uint32_t computed = crc32c(seed, block);
  return tag.checksum == (journal.has(journal_csum_v3) ? computed : computed & 0xffff);
}

}  // namespace vmfs::ext4
