// SPDX-License-Identifier: MIT
#include "formats/qcow2/entry.h"

#include <cerrno>

namespace vmfs::qcow2 {
namespace {

constexpr std::uint64_t bits(unsigned first, unsigned last) {
  return (~std::uint64_t{0} >> (63 - last)) & (~std::uint64_t{0} << first);
}

constexpr std::uint64_t offset_mask = bits(9, 55);
constexpr std::uint64_t copied = bits(63, 63);
constexpr std::uint64_t compressed = bits(62, 62);
constexpr std::uint64_t zero_flag = bits(0, 0);
constexpr std::uint64_t l1_reserved = bits(0, 8) | bits(56, 62);
constexpr std::uint64_t l2_reserved = bits(1, 8) | bits(56, 61);
constexpr std::uint64_t compressed_v1 = bits(63, 63);

constexpr Cluster invalid{.kind = Cluster::Kind::invalid};

Cluster parse_v1(std::uint64_t entry) {
  if ((entry & compressed_v1) != 0)
    return {.kind = Cluster::Kind::compressed, .host = entry & ~compressed_v1};
  return {.allocated = entry != 0, .host = entry};
}

Cluster parse_extended(std::uint64_t host, bool allocated, std::uint64_t bitmap) {
  const auto alloc = static_cast<std::uint32_t>(bitmap);
  const auto zero = static_cast<std::uint32_t>(bitmap >> 32);
  if ((alloc & zero) != 0 || (alloc != 0 && !allocated)) return invalid;
  return {.allocated = alloc, .zero = zero, .host = host};
}

}  // namespace

Cluster parse_entry(const Geometry& geometry, std::uint64_t entry, std::uint64_t bitmap) {
  if (geometry.version == 1) return parse_v1(entry);
  if ((entry & compressed) != 0) {
    if (geometry.external_data) return invalid;
    return {.kind = Cluster::Kind::compressed, .host = entry & ~(compressed | copied)};
  }
  const std::uint64_t host = entry & offset_mask;
  const bool zero = (entry & zero_flag) != 0;
  const bool zero_allowed = geometry.version == 3 && !geometry.extended_l2;
  if ((entry & l2_reserved) != 0 || host % geometry.cluster_size() != 0 || (zero && !zero_allowed))
    return invalid;
  // Offset 0 is the header, except in an external data file, where bit 63 tells it from no offset.
  const bool allocated = host != 0 || (geometry.external_data && (entry & copied) != 0);
  if (geometry.extended_l2) return parse_extended(host, allocated, bitmap);
  return {.allocated = allocated && !zero, .zero = zero, .host = host};
}

Packed parse_descriptor(const Geometry& geometry, std::uint64_t descriptor) {
  if (geometry.version == 1) {
    const unsigned shift = 63 - geometry.cluster_bits;
    return {.offset = descriptor & bits(0, shift - 1), .size = descriptor >> shift};
  }
  const unsigned shift = 62 - (geometry.cluster_bits - 8);
  const std::uint64_t offset = descriptor & bits(0, shift - 1);
  const std::uint64_t sectors = (descriptor >> shift) + 1;
  return {.offset = offset, .size = sectors * 512 - offset % 512};
}

Result<std::uint64_t> parse_l1_entry(const Geometry& geometry, std::uint64_t entry) {
  if (geometry.version == 1) {
    if (entry >> 62 != 0) return fail(EUCLEAN, "qcow: L1 entry {:#x} is out of range", entry);
    return entry;
  }
  const std::uint64_t offset = entry & offset_mask;
  if ((entry & l1_reserved) != 0 || offset % geometry.cluster_size() != 0)
    return fail(EUCLEAN, "qcow2: L1 entry {:#x}: reserved bits or an unaligned offset", entry);
  return offset;
}

}  // namespace vmfs::qcow2
