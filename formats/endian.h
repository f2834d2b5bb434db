// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace vmfs {

/// An integer as it lies on disk: no alignment, fixed byte order, converts to a native integer on use.
/// On-disk structures consist of these alone, so that `sizeof` is the specification's size.
template <std::unsigned_integral Integer, std::endian Order>
class OnDisk {
 public:
  constexpr OnDisk() = default;
  constexpr OnDisk(Integer value)
      : bytes_(std::bit_cast<Bytes>(to_order(value))) {}  // NOLINT(google-explicit-constructor)
  constexpr operator Integer() const {                    // NOLINT(google-explicit-constructor)
    return to_order(std::bit_cast<Integer>(bytes_));
  }

 private:
  using Bytes = std::array<std::byte, sizeof(Integer)>;
  static constexpr Integer to_order(Integer value) {
    return Order == std::endian::native ? value : std::byteswap(value);
  }

  Bytes bytes_{};
};

using le16 = OnDisk<std::uint16_t, std::endian::little>;
using le32 = OnDisk<std::uint32_t, std::endian::little>;
using le64 = OnDisk<std::uint64_t, std::endian::little>;
using be16 = OnDisk<std::uint16_t, std::endian::big>;
using be32 = OnDisk<std::uint32_t, std::endian::big>;
using be64 = OnDisk<std::uint64_t, std::endian::big>;

static_assert(sizeof(be64) == 8 && alignof(be64) == 1);

/// The on-disk structure at the start of `bytes`. REQUIRES: bytes.size() >= sizeof(T).
template <class T>
  requires std::is_trivially_copyable_v<T>
[[nodiscard]] T from_bytes(std::span<const std::byte> bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

}  // namespace vmfs
