// SPDX-License-Identifier: MIT
#include "formats/qcow2/compressed.h"

#include <algorithm>
#include <cerrno>
#include <new>

#include "formats/long_work.h"
#include "formats/qcow2/decompress.h"
#include "formats/qcow2/entry.h"

namespace vmfs::qcow2 {
namespace {

/// How far ahead is decoded, at most.
constexpr std::size_t bytes_ahead = std::size_t{1} << 20;

/// Smaller clusters are decoded sooner than handed over.
constexpr std::size_t smallest_ahead = std::size_t{16} << 10;

}  // namespace

Compressed::Compressed(const Geometry& geometry, Compression compression,
                       std::shared_ptr<const Tables> tables, std::shared_ptr<const Source> file,
                       ImageCache& cache)
    : geometry_(geometry),
      compression_(compression),
      tables_(std::move(tables)),
      file_(std::move(file)),
      cache_(cache),
      disk_(cache.clusters.add_disk()) {}

Result<void> Compressed::read(std::uint64_t offset, std::uint64_t descriptor,
                              std::span<std::byte> into) const {
  const auto size = static_cast<std::size_t>(geometry_.cluster_size());
  const ClusterName name{.disk = disk_, .number = offset / size, .size = size};
  const bool first =
      TRY(cache_.clusters.read(name, static_cast<std::size_t>(offset % size), into,
                               [&](std::span<std::byte> whole) { return decode(descriptor, whole); }));
  if (first && size >= smallest_ahead && cache_.workers.ready()) decode_behind(name);
  return {};
}

void Compressed::decode_behind(const ClusterName& name) const {
  const std::size_t most = std::max<std::size_t>(1, bytes_ahead / name.size);
  for (const std::uint64_t number : cache_.clusters.expect_behind(name, most)) {
    cache_.workers.submit([self = shared_from_this(), number] {
      self->fetch({.disk = self->disk_,
                   .number = number,
                   .size = static_cast<std::size_t>(self->geometry_.cluster_size())});
    });
  }
}

void Compressed::fetch(const ClusterName& name) const {
  cache_.clusters.fetch(name, [&](std::span<std::byte> whole) -> Result<void> {
    const Run run = TRY(tables_->find(name.number * name.size, name.size));
    if (run.kind != Run::Kind::compressed) return fail(EINVAL, "qcow2: not compressed");
    return decode(run.host, whole);
  });
}

Result<void> Compressed::decode(std::uint64_t descriptor, std::span<std::byte> into) const {
  announce_long_work();
  const Packed packed = parse_descriptor(geometry_, descriptor);
  const std::uint64_t end = file_->size();
  if (packed.offset >= end)
    return fail(EIO, "qcow2: compressed cluster at {:#x}: behind the end of the file", packed.offset);
  // The last sector may be cut short by the end of the file.
  const auto size = static_cast<std::size_t>(std::min(packed.size, end - packed.offset));
  const std::unique_ptr<std::byte[]> bytes(new (std::nothrow) std::byte[size]);
  if (!bytes) return fail(ENOMEM, "qcow2: no memory for a compressed cluster");
  TRY(vmfs::read(*file_, packed.offset, {bytes.get(), size}));
  auto done = decompress(compression_, {bytes.get(), size}, into);
  if (!done) return fail(done.error().code, "qcow2: at {:#x}: {}", packed.offset, done.error().what);
  return {};
}

}  // namespace vmfs::qcow2
