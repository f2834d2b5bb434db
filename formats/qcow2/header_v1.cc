// SPDX-License-Identifier: MIT
#include <cerrno>

#include "formats/qcow2/header.h"

namespace vmfs::qcow2 {
namespace {

/// The header of QCOW version 1.
struct QcowHeaderV1 {
  be32 magic;
  be32 version;
  be64 backing_file_offset;
  be32 backing_file_size;
  be32 mtime;
  be64 size;
  std::uint8_t cluster_bits;
  std::uint8_t l2_bits;
  be16 padding;
  be32 crypt_method;
  be64 l1_table_offset;
};
static_assert(sizeof(QcowHeaderV1) == 48);

Result<void> check(const QcowHeaderV1& raw) {
  if (raw.version != 1) return fail(EUCLEAN, "qcow: header: version {} is not 1", std::uint32_t{raw.version});
  if (raw.size <= 1) return fail(EUCLEAN, "qcow: header: size {} is too small", std::uint64_t{raw.size});
  if (raw.cluster_bits < 9 || raw.cluster_bits > 16)
    return fail(EUCLEAN, "qcow: header: cluster_bits {} is not in 9..16", raw.cluster_bits);
  if (raw.l2_bits < 6 || raw.l2_bits > 13)
    return fail(EUCLEAN, "qcow: header: l2_bits {} is not in 6..13", raw.l2_bits);
  if (raw.crypt_method > 1)
    return fail(EOPNOTSUPP, "qcow: encryption method {} is not supported", std::uint32_t{raw.crypt_method});
  return {};
}

}  // namespace

Result<Header> read_header_v1(const Source& file) {
  if (file.size() < sizeof(QcowHeaderV1))
    return fail(EUCLEAN, "qcow: header: the file has {} bytes only", file.size());
  const auto raw = TRY(read_struct<QcowHeaderV1>(file, 0));
  TRY(check(raw));
  Header header;
  header.geometry = {.version = 1,
                     .cluster_bits = raw.cluster_bits,
                     .l2_bits = raw.l2_bits,
                     .extended_l2 = false,
                     .external_data = false};
  header.size = raw.size / 512 * 512;
  header.encrypted = raw.crypt_method == 1;
  header.l1 = {.offset = raw.l1_table_offset, .entries = header.geometry.l1_entries(raw.size)};
  TRY(check_table(file, header.l1, max_l1_size, 1, "L1 table"));
  if (raw.backing_file_offset != 0)
    header.backing_name =
        TRY(read_name(file, raw.backing_file_offset, raw.backing_file_size, "backing file name"));
  return header;
}

}  // namespace vmfs::qcow2
