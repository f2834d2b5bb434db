// SPDX-License-Identifier: MIT
#include "formats/qcow2/open.h"

#include <cerrno>

#include "formats/legacy/libqcow.h"
#include "formats/qcow2/disk.h"
#include "formats/qcow2/header.h"
#include "formats/qcow2/snapshots.h"

namespace vmfs::qcow2 {
namespace {

std::uint32_t version_of(std::span<const std::byte> head) {
  constexpr std::uint32_t magic = 0x514649fb;
  if (head.size() < 8 || from_bytes<be32>(head) != magic) return 0;
  return from_bytes<be32>(head.subspan(4));
}

std::string yes_no(bool value) {
  return value ? "true" : "false";
}

void describe(const Header& header, ImageInfo& info) {
  const auto add = [&](const char* name, std::string value) {
    info.details.emplace_back(name, std::move(value));
  };
  add("cluster size", std::to_string(header.geometry.cluster_size()));
  if (header.encrypted) add("encrypted", "aes");
  if (header.geometry.version == 1) return;
  add("compat", header.geometry.version == 2 ? "0.10" : "1.1");
  add("compression type", header.compression == Compression::zstd ? "zstd" : "zlib");
  add("refcount bits", std::to_string(header.refcount_bits));
  if (header.geometry.version == 2) return;
  add("lazy refcounts", yes_no(header.lazy_refcounts));
  add("corrupt", yes_no(header.corrupt));
  add("extended l2", yes_no(header.geometry.extended_l2));
  if (!header.geometry.external_data) return;
  add("data file", header.data_file_name);
  add("data file raw", yes_no(header.data_file_raw));
}

void warn_of_state(const Header& header, const ImageInput& input) {
  if (header.dirty)
    input.warn("the image was not closed cleanly (its dirty bit is set); what is read may be out of date");
  if (header.corrupt) input.warn("the image is marked corrupt; what is read may be wrong");
}

Result<void> add_external_data(const Header& header, const ImageInput& input, DiskParts& parts) {
  if (!header.geometry.external_data) return {};
  if (header.data_file_name.empty())
    return fail(EUCLEAN, "qcow2: the image keeps its data in another file but does not name it");
  parts.data = TRY(input.references.data_file(header.data_file_name));
  return {};
}

Result<void> add_backing(const Header& header, const ImageInput& input, DiskParts& parts, ImageInfo& info) {
  if (header.backing_name.empty()) return {};
  auto below = TRY(input.references.backing(header.backing_name, header.backing_format));
  parts.backing = std::move(below.disk);
  info.backing = std::move(below.info);
  return {};
}

Result<std::shared_ptr<const Source>> open_encrypted(const Header& header, const ImageInput& input) {
  constexpr auto hint = "decrypt it first: qemu-img convert --help, --image-opts with encrypt.format=aes";
  if (!input.snapshot.empty())
    return fail(EOPNOTSUPP, "snapshots of an image that is encrypted by AES are not supported; {}", hint);
  if (!header.backing_name.empty())
    return fail(EOPNOTSUPP, "an image that is encrypted by AES and has a backing file is not supported; {}",
                hint);
  return open_libqcow(*input.file, input.password);
}

/// `header` is that of the wanted snapshot where one is wanted.
Result<OpenedImage> assemble(const Header& header, const ImageInput& input, ImageInfo info) {
  warn_of_state(header, input);
  DiskParts parts{
      .cache = input.cache,
      .geometry = header.geometry,
      .size = header.size,
      .compression = header.compression,
      .tables = TRY(Tables::read(input.file, header.geometry, header.l1, header.size, input.cache->tables)),
      .file = input.file,
      .data = input.file,
      .backing = nullptr,
      .decrypted = nullptr,
  };
  if (header.encrypted) parts.decrypted = TRY(open_encrypted(header, input));
  TRY(add_external_data(header, input, parts));
  TRY(add_backing(header, input, parts, info));
  info.virtual_size = header.size;
  info.dirty = header.dirty;
  info.corrupt = header.corrupt;
  describe(header, info);
  return OpenedImage{.disk = std::make_shared<Disk>(std::move(parts)), .info = std::move(info)};
}

}  // namespace

bool recognise(std::span<const std::byte> head) {
  return version_of(head) >= 2;
}

bool recognise_v1(std::span<const std::byte> head) {
  return version_of(head) == 1;
}

Result<OpenedImage> open(const ImageInput& input) {
  Header header = TRY(read_header(*input.file));
  const auto snapshots = TRY(read_snapshots(*input.file, header));
  if (!input.snapshot.empty()) header = TRY(use_snapshot(*input.file, header, snapshots, input.snapshot));
  ImageInfo info;
  info.format = "qcow2";
  for (const auto& entry : snapshots) info.snapshots.push_back(entry.snapshot);
  return assemble(header, input, std::move(info));
}

Result<OpenedImage> open_v1(const ImageInput& input) {
  if (!input.snapshot.empty()) return fail(EOPNOTSUPP, "qcow: version 1 has no snapshots");
  ImageInfo info;
  info.format = "qcow";
  return assemble(TRY(read_header_v1(*input.file)), input, std::move(info));
}

}  // namespace vmfs::qcow2
