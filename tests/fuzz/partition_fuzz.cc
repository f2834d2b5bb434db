// SPDX-License-Identifier: MIT
// A disk: its partition table is read, and every volume on it identified.
#include <algorithm>
#include <cstdlib>
#include <memory>

#include <libdeflate.h>

#include "formats/partition/gpt.h"
#include "formats/partition/partition_table.h"
#include "formats/source.h"
#include "fs/registry.h"

namespace {

using namespace vmfs;

/// The input as the start of a disk: what lies behind it reads as zeros, so that a small
/// input can be a disk large enough for every signature.
class Padded final : public Source {
 public:
  Padded(std::shared_ptr<const Source> head, std::uint64_t size) : Source(size), head_(std::move(head)) {}

 private:
  Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override {
    if (offset >= head_->size()) return Extent::zero(max_length);
    return head_->map(offset, max_length);
  }

  const std::shared_ptr<const Source> head_;
};

/// Makes the checksums of the primary GPT right, so that what they protect is reached.
void seal(std::span<std::byte> disk) {
  constexpr std::size_t sector = 512;
  if (disk.size() < 2 * sector) return;
  auto header = from_bytes<GptHeader>(disk.subspan(sector));
  const std::uint64_t entries =
      std::uint64_t{header.number_of_partition_entries} * header.size_of_partition_entry;
  const std::uint64_t first = header.partition_entry_lba;
  if (first < disk.size() / sector && entries <= disk.size() - first * sector) {
    header.partition_entry_array_crc32 = libdeflate_crc32(0, disk.data() + first * sector, entries);
  }
  header.header_crc32 = 0;
  const auto raw = std::as_bytes(std::span(&header, 1));
  std::ranges::copy(raw, disk.begin() + sector);
  header.header_crc32 =
      libdeflate_crc32(0, disk.data() + sector, std::min<std::size_t>(header.header_size, sector));
  std::ranges::copy(raw, disk.begin() + sector);
}

void check(bool condition) {
  if (!condition) std::abort();
}

/// Nothing here can fail to be read, so that there is always an answer.
void check_identity(const Result<std::optional<VolumeIdentity>>& identity) {
  check(identity.has_value());
  check(!*identity || (!(*identity)->type.empty() && !(*identity)->usage.empty()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // The first byte is the disk's size: nothing behind the input, or up to 128 MiB of zeros; its top bit
  // seals.
  std::vector<std::byte> bytes(size - 1);
  std::ranges::copy(std::as_bytes(std::span(data, size)).subspan(1), bytes.begin());
  if ((data[0] & 0x80) != 0) seal(bytes);
  const unsigned shift = data[0] & 0x1f;
  const std::uint64_t padding = shift == 0 ? 0 : std::uint64_t{1} << std::min(shift, 27U);
  auto head = std::make_shared<MemorySource>(std::move(bytes));
  const auto disk = std::make_shared<Padded>(head, head->size() + padding);

  check_identity(identify_volume(*disk));
  const auto table = read_partition_table(*disk, [](const std::string&) {});
  if (!table || !*table) return 0;
  check((*table)->partitions.size() <= 2 * max_partitions);
  for (const Partition& partition : (*table)->partitions) {
    check(partition.offset <= disk->size() && partition.size <= disk->size() - partition.offset);
    check(partition.size > 0 && partition.number > 0);
    const auto volume = SubSource::create(disk, partition.offset, partition.size);
    check(volume.has_value());
    check_identity(identify_volume(**volume));
  }
  return 0;
}
