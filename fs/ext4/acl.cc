// SPDX-License-Identifier: MIT
#include <cerrno>

#include "fs/ext4/xattr.h"

namespace vmfs::ext4 {
namespace {

constexpr std::uint32_t disk_version = 1;
constexpr std::uint32_t user_version = 2;
constexpr std::uint32_t no_id = 0xffffffff;

enum Tag : std::uint16_t { user_obj = 1, user = 2, group_obj = 4, group = 8, mask = 16, other = 32 };

/// An entry of the kernel's struct posix_acl_xattr_entry; on disk e_id is there for named ids only.
struct UserEntry {
  le16 e_tag;
  le16 e_perm;
  le32 e_id;
};
static_assert(sizeof(UserEntry) == 8);

constexpr std::size_t short_entry = 4;

template <class T>
void append(std::string& text, const T& value) {
  text.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

Result<std::string> acl_from_disk(std::span<const std::byte> disk) {
  if (disk.size() < sizeof(le32) || from_bytes<le32>(disk) != disk_version)
    return fail(EINVAL, "ext4: ACL of {} bytes with an unknown version", disk.size());
  if (disk.size() == sizeof(le32)) return fail(ENODATA, "ext4: ACL without entries");
  std::string text;
  append(text, le32{user_version});
  for (auto rest = disk.subspan(sizeof(le32)); !rest.empty();) {
    if (rest.size() < short_entry) return fail(EINVAL, "ext4: ACL with {} bytes too many", rest.size());
    UserEntry entry{
        .e_tag = from_bytes<le16>(rest), .e_perm = from_bytes<le16>(rest.subspan(2)), .e_id = no_id};
    std::size_t length = short_entry;
    switch (entry.e_tag) {
      case user_obj:
      case group_obj:
      case mask:
      case other:
        break;
      case user:
      case group:
        length = sizeof(UserEntry);
        if (rest.size() < length) return fail(EINVAL, "ext4: ACL entry of {} bytes", rest.size());
        entry.e_id = from_bytes<le32>(rest.subspan(short_entry));
        break;
      default:
        return fail(EINVAL, "ext4: ACL entry with tag {}", std::uint16_t{entry.e_tag});
    }
    append(text, entry);
    rest = rest.subspan(length);
  }
  return text;
}

}  // namespace vmfs::ext4
