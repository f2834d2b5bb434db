// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace vmfs {

/// One entry of a POSIX access control list, with the tags of linux/posix_acl.h.
struct AclEntry {
  enum class Tag : std::uint16_t {
    user_object = 0x01,
    user = 0x02,
    group_object = 0x04,
    group = 0x08,
    mask = 0x10,
    other = 0x20,
  };
  Tag tag{};
  std::uint16_t permissions = 0;  ///< of r = 4, w = 2, x = 1
  std::uint32_t id = 0;           ///< of user and group
};

/// Reads the value of "system.posix_acl_access" or "system.posix_acl_default" (linux/posix_acl_xattr.h).
/// Nothing where it is none.
[[nodiscard]] std::optional<std::vector<AclEntry>> parse_acl(std::string_view value);

}  // namespace vmfs
