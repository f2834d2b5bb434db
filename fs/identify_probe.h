// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "formats/source.h"

namespace vmfs {

/// Reads the few bytes of a volume that magic numbers are made of: a page at a time, and all that is asked of
/// its end at once. What is not inside the volume counts as absent; the first read error is kept for the end,
/// as each answer is then one of many. Used by one thread.
class Probe {
 public:
  explicit Probe(const Source& volume) : volume_(volume) {}

  [[nodiscard]] const Source& volume() const { return volume_; }
  [[nodiscard]] std::uint64_t size() const { return volume_.size(); }

  /// Where `sectors` whole sectors before the end begin; size() where there are fewer.
  [[nodiscard]] std::uint64_t sectors_before_end(std::uint64_t sectors) const;

  /// Whether exactly these bytes are at `offset`.
  [[nodiscard]] bool holds(std::uint64_t offset, std::string_view bytes) const;

  /// The integer at `offset` (T: le16, be32, ...; std::uint8_t), 0 where it is not inside the volume.
  template <class T>
  [[nodiscard]] std::uint64_t number(std::uint64_t offset) const {
    std::byte bytes[sizeof(T)];
    return fill(offset, bytes) ? std::uint64_t{from_bytes<T>(bytes)} : 0;
  }

  /// Fills `into`; false where that is not wholly inside the volume or cannot be read.
  [[nodiscard]] bool fill(std::uint64_t offset, std::span<std::byte> into) const;

  /// The first read error, if any.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  void keep_error(const Error& error) const;

 private:
  /// The page at `begin`; empty where it cannot be read.
  struct Page {
    std::uint64_t begin = 0;
    std::vector<std::byte> bytes;
  };
  [[nodiscard]] const Page& page(std::uint64_t begin) const;

  const Source& volume_;
  mutable std::vector<Page> pages_;  ///< those read last
  mutable std::size_t oldest_ = 0;
  mutable bool tail_is_coming_ = false;
  mutable std::optional<Error> error_;
};

bool is_bitlocker_to_go(const Probe& probe);
bool is_drbd(const Probe& probe);
bool is_ddf_raid(const Probe& probe);
bool is_highpoint_raid(const Probe& probe);
bool is_jmicron_raid(const Probe& probe);
bool is_linux_raid(const Probe& probe);
bool is_lvm2(const Probe& probe);
bool is_minix(const Probe& probe);
bool is_promise_raid(const Probe& probe);
bool is_silicon_raid(const Probe& probe);
bool is_suspended_swap(const Probe& probe);
bool is_swap(const Probe& probe);
bool is_sysv(const Probe& probe);
bool is_udf(const Probe& probe);
bool is_ufs(const Probe& probe);
bool is_xfs_log(const Probe& probe);
bool is_zfs(const Probe& probe);

}  // namespace vmfs
