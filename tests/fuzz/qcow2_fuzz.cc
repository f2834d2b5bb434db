// SPDX-License-Identifier: MIT
// An image file in memory: its header, tables, snapshots and clusters are the fuzzer's; a backing file and a
// data file of known contents lie beside it. Every view is walked by map() and read in parts.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "formats/image_cache.h"
#include "formats/image_format.h"
#include "formats/qcow2/open.h"

namespace vmfs {
namespace {

constexpr std::size_t max_steps = 1000;
constexpr std::size_t part_size = std::size_t{64} << 10;
constexpr std::size_t max_snapshots = 3;

/// What must hold for any input whatever; the fuzzer reports an abort.
void require(bool condition) {
  if (!condition) std::abort();
}

class Neighbours final : public References {
 public:
  Result<Image> backing(const std::string&, const std::string&) override {
    return Image{.disk = other_, .info = std::make_shared<ImageInfo>()};
  }
  Result<std::shared_ptr<const Source>> data_file(const std::string&) override { return other_; }

 private:
  const std::shared_ptr<const Source> other_ =
      std::make_shared<MemorySource>(std::vector<std::byte>(100'000, std::byte{0x5a}));
};

/// Reads the part of a run that fits a buffer, from a place inside it.
void read_part(const Source& disk, std::uint64_t offset, const Extent& extent) {
  static std::vector<std::byte> buffer(part_size);
  const std::uint64_t skip = extent.length / 3;
  const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(extent.length - skip, part_size));
  const auto whole = read_extent(extent, skip, std::span(buffer).first(length));
  const std::byte last = buffer[length - 1];
  std::byte again{};
  const auto single = read(disk, offset + skip + length - 1, std::span(&again, 1));
  if (whole) require(single.has_value() && again == last);
}

void walk(const Source& disk) {
  std::uint64_t offset = 0;
  for (std::size_t step = 0; step < max_steps && offset < disk.size(); ++step) {
    const auto extent = disk.map(offset, disk.size() - offset);
    std::uint64_t length = 512;
    if (extent) {
      require(extent->length > 0 && extent->length <= disk.size() - offset);
      require(extent->kind != Extent::Kind::data);
      if (step < 64 || step % 16 == 0) read_part(disk, offset, *extent);
      length = extent->length;
    }
    offset += std::min(length, disk.size() - offset);
  }
  if (disk.size() > 0) {
    std::byte last{};
    const auto done = read(disk, disk.size() - 1, std::span(&last, 1));
    require(done || done.error().code != 0);
  }
}

void open_and_walk(std::shared_ptr<const Source> file) {
  Neighbours neighbours;
  ImageInput input{.file = std::move(file), .references = neighbours, .password = "secret"};
  std::byte head[8] = {};
  require(read(*input.file, 0, head).has_value());
  const bool first_version = qcow2::recognise_v1(head);
  const auto image = first_version ? qcow2::open_v1(input) : qcow2::open(input);
  if (!image) {
    require(image.error().code != 0 && !image.error().what.empty());
    return;
  }
  walk(*image->disk);
  const auto& snapshots = image->info.snapshots;
  for (std::size_t i = 0; i < std::min(max_snapshots, snapshots.size()); ++i) {
    input.snapshot = snapshots[i].id;
    if (const auto view = qcow2::open(input)) walk(*view->disk);
  }
}

}  // namespace
}  // namespace vmfs

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 8) return 0;
  const auto bytes = std::as_bytes(std::span(data, size));
  std::vector<std::byte> file(bytes.begin(), bytes.end());
  // The magic number and a version that exists: nothing is learnt from guessing these.
  constexpr std::array<std::uint8_t, 7> fixed{'Q', 'F', 'I', 0xfb, 0, 0, 0};
  std::ranges::copy(std::as_bytes(std::span(fixed)), file.begin());
  file[7] = static_cast<std::byte>(1 + data[7] % 3);
  vmfs::open_and_walk(std::make_shared<vmfs::MemorySource>(std::move(file)));
  return 0;
}
