// SPDX-License-Identifier: MIT
// Opens physical volumes and reads a little of every logical volume. The first byte says what the rest is:
//   0: a SparseImage, a device with its label and metadata areas;
//   else: an le16 length, so many bytes of a metadata text, and a SparseImage of what lies in the extents:
//   label and area are made for it.
// Checksums are made right, or hardly any change would come behind them.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "formats/lvm/format.h"
#include "formats/lvm/lvm.h"
#include "formats/lvm/thin_btree.h"
#include "formats/lvm/thin_format.h"
#include "tests/tools/sparse_image.h"

namespace {

using namespace vmfs;
using tests::SparseImage;

constexpr std::uint64_t max_read = 65536;
constexpr std::uint64_t max_maps = 1000;
constexpr std::size_t max_input = std::size_t{1} << 18;
constexpr std::uint64_t label_at = 512;
constexpr std::uint64_t area_at = 4096;
constexpr std::uint64_t area_size = 256 << 10;

std::vector<std::byte> bytes_of(const Source& source, std::uint64_t offset, std::uint64_t length) {
  if (offset >= source.size()) return {};
  std::vector<std::byte> bytes(static_cast<std::size_t>(std::min(length, source.size() - offset)));
  if (!read(source, offset, bytes)) return {};
  return bytes;
}

void seal_label(SparseImage& disk, std::uint64_t at) {
  const auto sector = bytes_of(disk, at, 512);
  if (sector.size() == 512) disk.put(at + 16, le32{lvm::checksum(std::span(sector).subspan(20))});
}

/// Makes the checksums of an area and of the text in it right.
void seal_area(SparseImage& disk, std::uint64_t at) {
  const auto sector = bytes_of(disk, at, 512);
  if (sector.size() != 512) return;
  auto header = from_bytes<lvm::MdaHeader>(sector);
  const std::uint64_t offset = header.raw_locns[0].offset;
  const std::uint64_t size = header.raw_locns[0].size;
  if (offset < header.size && size <= max_input && header.size <= disk.size()) {
    auto text = bytes_of(disk, at + offset, std::min(size, header.size - offset));
    const auto rest = bytes_of(disk, at + 512, size - text.size());
    text.insert(text.end(), rest.begin(), rest.end());
    header.raw_locns[0].checksum = lvm::checksum(text);
    disk.put(at, header);
  }
  const auto sealed = bytes_of(disk, at + 4, 508);
  disk.put(at, le32{lvm::checksum(sealed)});
}

/// Makes the checksums of what looks like metadata of a thin pool right.
void seal_thin(SparseImage& disk) {
  disk.change_pages([](std::uint64_t, std::span<std::byte> page) {
    const auto super = from_bytes<lvm::ThinSuperblock>(page);
    const auto node = from_bytes<lvm::BtreeHeader>(page);
    const bool is_super = super.magic == lvm::thin_magic;
    if (!is_super && node.flags != lvm::btree_leaf && node.flags != lvm::btree_internal) return;
    const le32 sum{lvm::thin_checksum(page, is_super ? lvm::thin_superblock_salt : lvm::btree_salt)};
    std::memcpy(page.data(), &sum, sizeof sum);
  });
}

/// A label with one metadata area that holds `text`.
void make_label(SparseImage& disk, std::span<const std::byte> text) {
  const auto put_text = [&](std::uint64_t offset, std::string_view bytes) {
    disk.write(offset, std::as_bytes(std::span(bytes)));
  };
  put_text(label_at, "LABELONE");
  disk.put(label_at + 8, le64{1});
  disk.put(label_at + 20, le32{32});
  put_text(label_at + 24, "LVM2 001");
  put_text(label_at + 32, "pppppppppppppppppppppppppppppppp");
  disk.put(label_at + 72, lvm::DiskLocation{});
  disk.put(label_at + 88, lvm::DiskLocation{.offset = area_at, .size = area_size});
  disk.put(label_at + 104, lvm::DiskLocation{});
  lvm::MdaHeader header{};
  std::ranges::copy(std::string_view(" LVM2 x[5A%r0N*>"), header.magic.begin());
  header.version = 1;
  header.start = area_at;
  header.size = area_size;
  header.raw_locns[0].offset = 512;
  header.raw_locns[0].size = text.size();
  disk.put(area_at, header);
  disk.write(area_at + 512, text);
}

std::shared_ptr<SparseImage> make_disk(std::span<const std::byte> input) {
  const bool whole = input[0] == std::byte{0};
  input = input.subspan(1);
  std::span<const std::byte> text;
  if (!whole && input.size() >= sizeof(le16)) {
    const std::size_t length = std::min<std::size_t>(from_bytes<le16>(input), input.size() - sizeof(le16));
    text = input.subspan(sizeof(le16), length);
    input = input.subspan(sizeof(le16) + length);
  }
  auto disk = SparseImage::parse(input);
  seal_thin(*disk);
  if (!whole) make_label(*disk, text);
  for (std::uint64_t sector = 0; sector < 4; ++sector) seal_label(*disk, sector * 512);
  seal_area(*disk, area_at);
  return disk;
}

void look_at(const Source& source) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(std::min(source.size(), max_read)));
  (void)read(source, 0, bytes).has_value();
  (void)read(source, source.size() - bytes.size(), bytes).has_value();
  std::uint64_t offset = 0;
  for (std::uint64_t i = 0; i < max_maps && offset < source.size(); ++i) {
    const auto extent = source.map(offset, source.size() - offset);
    offset += extent ? extent->length : std::uint64_t{1} << 20;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > max_input) return 0;
  const std::vector<LvmMember> members{
      {.name = "p", .source = make_disk(std::as_bytes(std::span(data, size)))}};
  const Lvm lvm = open_lvm(members, [](const std::string&) {});
  for (const VolumeGroup& group : lvm.groups) {
    for (const LogicalVolume& volume : group.logical_volumes) {
      if (volume.source) look_at(*volume.source);
    }
  }
  return 0;
}
