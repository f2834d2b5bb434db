// SPDX-License-Identifier: MIT
#include "formats/qcow2/disk.h"

#include <algorithm>
#include <cerrno>

namespace vmfs::qcow2 {

Disk::Disk(DiskParts parts)
    : Source(parts.size),
      parts_(std::move(parts)),
      compressed_(std::make_shared<const Compressed>(parts_.geometry, parts_.compression, parts_.tables,
                                                     parts_.file, *parts_.cache)) {}

Result<Extent> Disk::do_map(std::uint64_t offset, std::uint64_t max_length) const {
  const Run run = TRY(parts_.tables->find(offset, max_length));
  switch (run.kind) {
    case Run::Kind::unallocated:
      return map_backing(offset, run.length);
    case Run::Kind::zero:
      return Extent::zero(run.length);
    case Run::Kind::data:
      return map_data(offset, run);
    case Run::Kind::compressed:
      break;
  }
  return Extent::encoded(*this, offset, run.length);
}

Result<Extent> Disk::map_backing(std::uint64_t offset, std::uint64_t length) const {
  if (!parts_.backing || offset >= parts_.backing->size()) return Extent::zero(length);
  return parts_.backing->map(offset, length);
}

/// Clusters that end behind the end of the file read as zeros there: nothing wrote them yet.
Result<Extent> Disk::map_data(std::uint64_t offset, const Run& run) const {
  if (run.host >= parts_.data->size()) return Extent::zero(run.length);
  if (!parts_.decrypted) return parts_.data->map(run.host, run.length);
  // libqcow reads no cluster in part, and the file may end in the middle of the last one.
  return Extent::encoded(*parts_.decrypted, offset, std::min(run.length, parts_.data->size() - run.host));
}

Result<void> Disk::do_decode(std::uint64_t offset, std::span<std::byte> into) const {
  while (!into.empty()) {
    const std::uint64_t left = parts_.geometry.cluster_size() - offset % parts_.geometry.cluster_size();
    const Run run = TRY(parts_.tables->find(offset, std::min<std::uint64_t>(into.size(), left)));
    const auto part = into.first(static_cast<std::size_t>(run.length));
    TRY(decode_run(offset, run, part));
    into = into.subspan(part.size());
    offset += part.size();
  }
  return {};
}

Result<void> Disk::decode_run(std::uint64_t offset, const Run& run, std::span<std::byte> into) const {
  if (run.kind != Run::Kind::compressed) return fail(EINVAL, "qcow2: nothing to decode at {:#x}", offset);
  return compressed_->read(offset, run.host, into);
}

}  // namespace vmfs::qcow2
