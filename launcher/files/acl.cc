// SPDX-License-Identifier: MIT
#include "launcher/files/acl.h"

#include <span>

#include "formats/endian.h"

namespace vmfs {
namespace {

/// struct posix_acl_xattr_entry
struct XattrEntry {
  le16 e_tag;
  le16 e_perm;
  le32 e_id;
};
static_assert(sizeof(XattrEntry) == 8);

constexpr std::size_t header_size = 4;
constexpr std::uint32_t version = 2;

bool is_tag(unsigned tag) {
  return tag != 0 && tag <= 0x20 && (tag & (tag - 1)) == 0;
}

}  // namespace

std::optional<std::vector<AclEntry>> parse_acl(std::string_view value) {
  const auto bytes = std::as_bytes(std::span(value));
  if (bytes.size() < header_size || (bytes.size() - header_size) % sizeof(XattrEntry) != 0)
    return std::nullopt;
  if (from_bytes<le32>(bytes) != version) return std::nullopt;
  std::vector<AclEntry> entries;
  for (std::size_t at = header_size; at < bytes.size(); at += sizeof(XattrEntry)) {
    const auto entry = from_bytes<XattrEntry>(bytes.subspan(at));
    if (!is_tag(entry.e_tag) || entry.e_perm > 7) return std::nullopt;
    entries.push_back({.tag = AclEntry::Tag{static_cast<std::uint16_t>(entry.e_tag)},
                       .permissions = entry.e_perm,
                       .id = entry.e_id});
  }
  return entries;
}

}  // namespace vmfs
