// SPDX-License-Identifier: MIT
#include "fs/xfs/xattr.h"

#include <cerrno>

#include <linux/limits.h>
#include <sys/stat.h>

#include "fs/xfs/attr.h"
#include "fs/xfs/format_da.h"

namespace vmfs::xfs {
namespace {

constexpr std::uint32_t spaces = attr_flag::root | attr_flag::secure | attr_flag::parent;

struct Prefix {
  std::string_view text;
  std::uint32_t flags;
};

constexpr Prefix prefixes[] = {
    {"trusted.", attr_flag::root},
    {"security.", attr_flag::secure},
    {"user.", 0},
};

struct Acl {
  std::string_view shown;   // to users
  std::string_view stored;  // in the root name space
};

constexpr Acl acls[] = {
    {"system.posix_acl_access", "SGI_ACL_FILE"},
    {"system.posix_acl_default", "SGI_ACL_DEFAULT"},
};

// linux/posix_acl_xattr.h
constexpr std::uint32_t acl_version = 2;
constexpr std::uint32_t acl_user = 0x02;
constexpr std::uint32_t acl_group = 0x08;
constexpr std::uint32_t acl_tags = 0x3f;
constexpr std::uint32_t acl_no_id = ~0U;
constexpr std::uint32_t acl_max_v4 = 25;

struct AclXattrEntry {
  le16 e_tag;
  le16 e_perm;
  le32 e_id;
};

template <class T>
void append(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

bool single_tag(std::uint32_t tag) {
  return tag != 0 && (tag & (tag - 1)) == 0 && (tag & acl_tags) != 0;
}

Result<std::string> acl_for_users(const Volume& volume, const InodeCore& inode, std::string_view stored) {
  const auto bytes = std::as_bytes(std::span(stored));
  const auto damaged = [&] {
    return corrupt("inode {}: access control list of {} bytes", inode.number, bytes.size());
  };
  if (bytes.size() < sizeof(be32)) return damaged();
  const std::size_t count = from_bytes<be32>(bytes);
  if (bytes.size() != sizeof(be32) + count * sizeof(AclEntry) || (!volume.geometry.v5 && count > acl_max_v4))
    return damaged();
  std::string out;
  append(out, le32{acl_version});
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry = from_bytes<AclEntry>(bytes.subspan(sizeof(be32) + i * sizeof(AclEntry)));
    const std::uint32_t tag = entry.ae_tag;
    if (!single_tag(tag))
      return fail(EINVAL, "xfs: inode {}: access control list with tag {:#x}", inode.number, tag);
    const bool named = tag == acl_user || tag == acl_group;
    append(out, AclXattrEntry{.e_tag = static_cast<std::uint16_t>(tag),
                              .e_perm = std::uint16_t{entry.ae_perm},
                              .e_id = named ? std::uint32_t{entry.ae_id} : acl_no_id});
  }
  return out;
}

Result<std::string> find_value(const Volume& volume, const InodeCore& inode, std::string_view name,
                               std::uint32_t space) {
  Result<std::string> value = fail(ENODATA, "xfs: inode {}: no attribute {}", inode.number, name);
  const AttrVisitor match = [&](const AttrEntry& entry) -> Result<bool> {
    if (entry.name != name || (entry.flags & spaces) != space) return true;
    value = attribute_value(volume, inode, entry);
    return false;
  };
  TRY(visit_attributes_named(volume, inode, name, match));
  return value;
}

// Parent pointers have a space of their own, which nobody sees.
void add_names(const AttrEntry& entry, std::vector<std::string>& names) {
  const std::uint32_t space = entry.flags & spaces;
  for (const Acl& acl : acls) {
    if (space == attr_flag::root && entry.name == acl.stored) names.emplace_back(acl.shown);
  }
  for (const Prefix& prefix : prefixes) {
    if (space == prefix.flags) names.push_back(std::string(prefix.text).append(entry.name));
  }
}

}  // namespace

Result<std::vector<std::string>> list_xattrs(const Volume& volume, const InodeCore& inode) {
  std::vector<std::string> names;
  std::size_t size = 0;
  const AttrVisitor add = [&](const AttrEntry& entry) -> Result<bool> {
    if (entry.name.find('\0') != std::string_view::npos)
      return corrupt("inode {}: an attribute's name has a null byte", inode.number);
    const std::size_t before = names.size();
    add_names(entry, names);
    for (std::size_t i = before; i < names.size(); ++i) size += names[i].size() + 1;
    if (size > XATTR_LIST_MAX)
      return fail(E2BIG, "xfs: inode {}: names of attributes exceed 64 KiB", inode.number);
    return true;
  };
  TRY(visit_attributes(volume, inode, add));
  return names;
}

Result<std::string> get_xattr(const Volume& volume, const InodeCore& inode, std::string_view name) {
  for (const Acl& acl : acls) {
    if (name != acl.shown || S_ISLNK(inode.mode)) continue;
    const std::string stored = TRY(find_value(volume, inode, acl.stored, attr_flag::root));
    return acl_for_users(volume, inode, stored);
  }
  for (const Prefix& prefix : prefixes) {
    if (name.starts_with(prefix.text) && name.size() > prefix.text.size())
      return find_value(volume, inode, name.substr(prefix.text.size()), prefix.flags);
  }
  return fail(EOPNOTSUPP, "xfs: inode {}: no attributes of the kind of {}", inode.number, name);
}

}  // namespace vmfs::xfs
