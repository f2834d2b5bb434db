// SPDX-License-Identifier: MIT
#include "formats/qcow2/header.h"

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "formats/qcow2/extensions.h"

namespace vmfs::qcow2 {
namespace {

/// The header as it lies in the first cluster; version 2 ends before incompatible_features.
struct QcowHeader {
  be32 magic;
  be32 version;
  be64 backing_file_offset;
  be32 backing_file_size;
  be32 cluster_bits;
  be64 size;
  be32 crypt_method;
  be32 l1_size;
  be64 l1_table_offset;
  be64 refcount_table_offset;
  be32 refcount_table_clusters;
  be32 nb_snapshots;
  be64 snapshots_offset;
  be64 incompatible_features;
  be64 compatible_features;
  be64 autoclear_features;
  be32 refcount_order;
  be32 header_length;
  std::uint8_t compression_type;
  std::uint8_t padding[7];
};
static_assert(sizeof(QcowHeader) == 112);

constexpr std::uint32_t qcow_magic = 0x514649fb;
constexpr std::uint64_t v2_length = 72;
constexpr std::uint64_t v3_length = 104;
constexpr std::uint64_t sector = 512;

namespace incompatible {
constexpr std::uint64_t dirty = 1;
constexpr std::uint64_t corrupt = 2;
constexpr std::uint64_t data_file = 4;
constexpr std::uint64_t compression = 8;
constexpr std::uint64_t extended_l2 = 16;
constexpr std::uint64_t known = 31;
}  // namespace incompatible
constexpr std::uint64_t compatible_lazy_refcounts = 1;
constexpr std::uint64_t autoclear_data_file_raw = 2;

/// The raw header, all bytes behind its length zero, so that absent fields have their default.
Result<QcowHeader> read_raw(const Source& file) {
  std::byte bytes[sizeof(QcowHeader)] = {};
  const auto available = static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), sizeof bytes));
  if (available < v2_length) return fail(EUCLEAN, "qcow2: header: the file has {} bytes only", available);
  TRY(read(file, 0, std::span(bytes).first(available)));
  auto header = from_bytes<QcowHeader>(bytes);
  if (header.magic != qcow_magic)
    return fail(EUCLEAN, "qcow2: header: magic {:#x}", std::uint32_t{header.magic});
  if (header.version < 2 || header.version > 3)
    return fail(EOPNOTSUPP, "qcow2: version {} is not supported", std::uint32_t{header.version});
  if (header.version == 2) {
    std::fill(std::begin(bytes) + v2_length, std::end(bytes), std::byte{0});
    header = from_bytes<QcowHeader>(bytes);
    header.header_length = v2_length;
    header.refcount_order = 4;
  } else if (header.header_length < v3_length) {
    return fail(EUCLEAN, "qcow2: header: header_length {} < {}", std::uint32_t{header.header_length},
                v3_length);
  } else if (header.header_length == v3_length) {
    header.compression_type = 0;
  }
  return header;
}

Result<void> check_sizes(const QcowHeader& raw) {
  if (raw.cluster_bits < 9 || raw.cluster_bits > 21)
    return fail(EUCLEAN, "qcow2: header: cluster_bits {} is not in 9..21", std::uint32_t{raw.cluster_bits});
  const std::uint64_t cluster_size = std::uint64_t{1} << raw.cluster_bits;
  if (raw.header_length > cluster_size)
    return fail(EUCLEAN, "qcow2: header: header_length {} > cluster size", std::uint32_t{raw.header_length});
  if (raw.backing_file_offset > cluster_size)
    return fail(EUCLEAN, "qcow2: header: backing_file_offset {} > cluster size",
                std::uint64_t{raw.backing_file_offset});
  if (raw.refcount_order > 6)
    return fail(EUCLEAN, "qcow2: header: refcount_order {} > 6", std::uint32_t{raw.refcount_order});
  return {};
}

Result<void> check_features(const QcowHeader& raw, const Extensions& extensions) {
  const std::uint64_t unknown = raw.incompatible_features & ~incompatible::known;
  if (unknown != 0)
    return fail(EOPNOTSUPP, "qcow2: unsupported incompatible feature: {}", extensions.name_features(unknown));
  if ((raw.incompatible_features & incompatible::extended_l2) != 0 && raw.cluster_bits < 14)
    return fail(EUCLEAN, "qcow2: header: cluster_bits {} < 14 with extended L2 entries",
                std::uint32_t{raw.cluster_bits});
  if (raw.crypt_method == 2) return fail(EOPNOTSUPP, "qcow2: encryption by LUKS is not supported");
  if (raw.crypt_method > 2)
    return fail(EOPNOTSUPP, "qcow2: encryption method {} is not supported", std::uint32_t{raw.crypt_method});
  return {};
}

Result<Compression> compression_of(const QcowHeader& raw) {
  const bool bit = (raw.incompatible_features & incompatible::compression) != 0;
  if (raw.compression_type > 1)
    return fail(EOPNOTSUPP, "qcow2: compression type {} is not supported", raw.compression_type);
  if (bit != (raw.compression_type != 0))
    return fail(EUCLEAN, "qcow2: header: compression_type {} contradicts the incompatible feature bit",
                raw.compression_type);
  return raw.compression_type == 1 ? Compression::zstd : Compression::deflate;
}

Geometry geometry_of(const QcowHeader& raw) {
  const bool extended = (raw.incompatible_features & incompatible::extended_l2) != 0;
  return {.version = raw.version,
          .cluster_bits = raw.cluster_bits,
          .l2_bits = raw.cluster_bits - (extended ? 4 : 3),
          .extended_l2 = extended,
          .external_data = (raw.incompatible_features & incompatible::data_file) != 0};
}

Result<void> check_l1(const Source& file, const Header& header) {
  TRY(check_table(file, header.l1, max_l1_size, header.geometry.cluster_size(), "L1 table"));
  const std::uint64_t needed = header.geometry.l1_entries(header.size);
  if (header.l1.entries < needed)
    return fail(EUCLEAN, "qcow2: header: l1_size {} < {}, which a disk of {} bytes needs", header.l1.entries,
                needed, header.size);
  return {};
}

}  // namespace

Result<void> check_table(const Source& file, const Table& table, std::uint64_t max_size,
                         std::uint64_t alignment, const char* name) {
  if (table.entries > max_size / 8)
    return fail(EUCLEAN, "qcow2: {}: {} entries are too many", name, table.entries);
  if (table.offset % alignment != 0)
    return fail(EUCLEAN, "qcow2: {}: offset {:#x} is not aligned", name, table.offset);
  if (table.offset > file.size() || table.entries * 8 > file.size() - table.offset)
    return fail(EUCLEAN, "qcow2: {}: {} entries at {:#x} are not inside the file of {} bytes", name,
                table.entries, table.offset, file.size());
  return {};
}

Result<std::string> read_name(const Source& file, std::uint64_t offset, std::uint64_t length,
                              const char* field) {
  if (length > 1023) return fail(EUCLEAN, "qcow2: {}: {} bytes are too many", field, length);
  if (offset > file.size() || length > file.size() - offset)
    return fail(EUCLEAN, "qcow2: {}: offset {:#x} is not inside the file", field, offset);
  std::string name(static_cast<std::size_t>(length), '\0');
  TRY(read(file, offset, std::as_writable_bytes(std::span(name))));
  name.resize(std::min(name.find('\0'), name.size()));
  return name;
}

Result<Header> read_header(const Source& file) {
  const QcowHeader raw = TRY(read_raw(file));
  TRY(check_sizes(raw));
  const Geometry geometry = geometry_of(raw);
  const std::uint64_t backing_offset = raw.backing_file_offset;
  const std::uint64_t end = backing_offset != 0 ? backing_offset : geometry.cluster_size();
  const Extensions extensions = TRY(read_extensions(file, raw.header_length, end));
  TRY(check_features(raw, extensions));

  Header header{.geometry = geometry,
                .size = raw.size / sector * sector,
                .l1 = {.offset = raw.l1_table_offset, .entries = raw.l1_size},
                .snapshots = {.offset = raw.snapshots_offset, .entries = raw.nb_snapshots},
                .compression = TRY(compression_of(raw)),
                .encrypted = raw.crypt_method == 1,
                .dirty = (raw.incompatible_features & incompatible::dirty) != 0,
                .corrupt = (raw.incompatible_features & incompatible::corrupt) != 0,
                .lazy_refcounts = (raw.compatible_features & compatible_lazy_refcounts) != 0,
                .data_file_raw = (raw.autoclear_features & autoclear_data_file_raw) != 0,
                .refcount_bits = std::uint64_t{1} << raw.refcount_order,
                .backing_name = {},
                .backing_format = extensions.backing_format,
                .data_file_name = extensions.data_file};
  if (backing_offset != 0) {
    if (raw.backing_file_size > geometry.cluster_size() - backing_offset)
      return fail(EUCLEAN, "qcow2: header: backing_file_size {} is not inside the first cluster",
                  std::uint32_t{raw.backing_file_size});
    header.backing_name = TRY(read_name(file, backing_offset, raw.backing_file_size, "backing file name"));
  }
  if (header.data_file_raw && !geometry.external_data)
    return fail(EUCLEAN, "qcow2: header: data-file-raw is set without an external data file");
  TRY(check_l1(file, header));
  return header;
}

}  // namespace vmfs::qcow2
