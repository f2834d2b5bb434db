// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "fs/filesystem.h"

namespace vmfs {

/// Names and numbers of passwd(5) or group(5). As in the C library the first line of a number or name counts.
class AccountTable {
 public:
  AccountTable() = default;
  /// Lines that are none (no name, no number) are left out.
  explicit AccountTable(std::string_view text);

  /// The name of a number; empty where there is none.
  [[nodiscard]] std::string_view name(std::uint32_t id) const;
  [[nodiscard]] std::optional<std::uint32_t> id(std::string_view name) const;

 private:
  std::unordered_map<std::uint32_t, std::string> names_;
  std::unordered_map<std::string, std::uint32_t> ids_;
};

/// Whom the guest's own files say the owners are.
struct Accounts {
  AccountTable users;
  AccountTable groups;

  /// Reads the guest's /etc/passwd and /etc/group. What is absent or unreadable has no names.
  [[nodiscard]] static Accounts read(const Filesystem& filesystem);
};

}  // namespace vmfs
