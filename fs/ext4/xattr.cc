// SPDX-License-Identifier: MIT
#include "fs/ext4/xattr.h"

#include <cerrno>
#include <cstring>

#include "fs/ext4/file.h"

namespace vmfs::ext4 {
namespace {

constexpr std::uint32_t attribute_magic = 0xea020000;
constexpr std::uint32_t most_value_bytes = 1U << 24;
constexpr std::uint8_t index_user = 1;
constexpr std::uint8_t index_acl_access = 2;
constexpr std::uint8_t index_acl_default = 3;
constexpr std::uint8_t index_trusted = 4;
constexpr std::uint8_t index_security = 6;
constexpr std::uint8_t index_system = 7;
constexpr std::uint8_t index_hurd = 10;

/// At the start of an attribute block; in an inode only the magic.
struct AttributeHeader {
  le32 h_magic;
  le32 h_refcount;
  le32 h_blocks;
  le32 h_hash;
  le32 h_checksum;
  std::array<le32, 3> h_reserved;
};
static_assert(sizeof(AttributeHeader) == 32);

struct AttributeEntry {
  std::uint8_t e_name_len;
  std::uint8_t e_name_index;
  le16 e_value_offs;
  le32 e_value_inum;
  le32 e_value_size;
  le32 e_hash;
};
static_assert(sizeof(AttributeEntry) == 16);

struct Prefix {
  std::uint8_t index;
  std::string_view text;
  bool whole;  ///< the prefix is the name
};

/// What users see; other indexes (system.data, encryption contexts, richacl) are the file system's own.
constexpr Prefix prefixes[] = {
    {index_user, "user.", false},
    {index_acl_access, "system.posix_acl_access", true},
    {index_acl_default, "system.posix_acl_default", true},
    {index_trusted, "trusted.", false},
    {index_security, "security.", false},
    {index_hurd, "gnu.", false},
};

/// A place where attributes live.
struct Region {
  std::span<const std::byte> bytes;
  std::size_t first = 0;  ///< offset of the first entry
  std::size_t base = 0;   ///< from where values are counted
};

struct Attribute {
  std::uint8_t index = 0;
  std::string_view name;
  std::uint32_t value_inode = 0;
  std::uint32_t size = 0;
  std::span<const std::byte> value;  ///< empty where value_inode is set
};

/// Walks the entries of a region, each checked as the kernel's check_xattrs() does.
class RegionReader {
 public:
  RegionReader(const Geometry& geometry, const InodeRecord& inode, const Region& region)
      : geometry_(geometry), inode_(inode), region_(region), offset_(region.first) {}

  /// Nothing at the end. Errors: EUCLEAN.
  [[nodiscard]] Result<std::optional<Attribute>> next() {
    if (names_end_ == 0) names_end_ = TRY(find_end());
    const std::size_t length = TRY(length_at(offset_));
    if (length == 0) return std::optional<Attribute>{};
    const auto bytes = region_.bytes;
    const auto entry = from_bytes<AttributeEntry>(bytes.subspan(offset_));
    const std::size_t name_offset = offset_ + sizeof entry;
    offset_ += length;

    Attribute attribute{.index = entry.e_name_index,
                        .name = {reinterpret_cast<const char*>(bytes.data()) + name_offset, entry.e_name_len},
                        .value_inode = entry.e_value_inum,
                        .size = entry.e_value_size,
                        .value = {}};
    if (attribute.name.find('\0') != std::string_view::npos)
      return damaged("e_name with a zero", entry.e_name_len);
    TRY(set_value(attribute, entry.e_value_offs));
    return std::optional(attribute);
  }

 private:
  /// Length of the entry there with its name, 0 at the end of the entries.
  [[nodiscard]] Result<std::size_t> length_at(std::size_t offset) const {
    const auto bytes = region_.bytes;
    if (offset > bytes.size() || bytes.size() - offset < sizeof(le32))
      return damaged("entries without an end", 0);
    if (from_bytes<le32>(bytes.subspan(offset)) == 0) return std::size_t{0};
    if (bytes.size() - offset < sizeof(AttributeEntry)) return damaged("an entry across the end", 0);
    const auto entry = from_bytes<AttributeEntry>(bytes.subspan(offset));
    const std::size_t length = (sizeof entry + entry.e_name_len + 3) & ~std::size_t{3};
    if (length >= bytes.size() - offset) return damaged("e_name_len", entry.e_name_len);
    return length;
  }

  /// Where the entries end and their values may begin.
  [[nodiscard]] Result<std::size_t> find_end() const {
    std::size_t end = region_.first;
    while (const std::size_t length = TRY(length_at(end))) end += length;
    return end + sizeof(le32);
  }

  [[nodiscard]] std::unexpected<Error> damaged(const char* what, std::uint64_t value) const {
    return fail(EUCLEAN, "ext4: inode {}: extended attributes: {} ({})", inode_.number, what, value);
  }

  [[nodiscard]] Result<void> set_value(Attribute& attribute, std::uint16_t offset) const {
    if (attribute.size > most_value_bytes) return damaged("e_value_size", attribute.size);
    if (attribute.value_inode != 0) {
      if (!geometry_.has(incompat_ea_inode) || attribute.value_inode == root_inode || attribute.size == 0)
        return damaged("e_value_inum", attribute.value_inode);
      return {};
    }
    if (attribute.size == 0) return {};
    const std::size_t start = region_.base + offset;
    const std::size_t padded = (std::size_t{attribute.size} + 3) & ~std::size_t{3};
    if (start < names_end_ || start > region_.bytes.size() || padded > region_.bytes.size() - start)
      return damaged("e_value_offs", offset);
    attribute.value = region_.bytes.subspan(start, attribute.size);
    return {};
  }

  const Geometry& geometry_;
  const InodeRecord& inode_;
  const Region region_;
  std::size_t offset_;
  std::size_t names_end_ = 0;  ///< 0: not looked for yet
};

/// The attributes in the inode itself; a region without bytes where there are none.
Result<Region> region_in_inode(Workspace& workspace, const InodeRecord& inode) {
  if (inode.attributes_offset == 0) return Region{};
  const auto raw = TRY(raw_inode(workspace, inode.number));
  const auto bytes = raw.subspan(inode.attributes_offset);
  if (from_bytes<le32>(bytes) != attribute_magic) return Region{};
  return Region{.bytes = bytes, .first = sizeof(le32), .base = sizeof(le32)};
}

Result<void> check_block(const Geometry& geometry, const InodeRecord& inode,
                         std::span<const std::byte> block) {
  const auto header = from_bytes<AttributeHeader>(block);
  if (header.h_magic != attribute_magic || header.h_blocks != 1)
    return fail(EUCLEAN, "ext4: inode {}: attribute block {}: h_magic {:#x}, h_blocks {}", inode.number,
                inode.attribute_block, std::uint32_t{header.h_magic}, std::uint32_t{header.h_blocks});
  if (!geometry.checksums()) return {};
  const le64 number = inode.attribute_block;
  std::uint32_t computed = crc32c(geometry.checksum_seed, std::as_bytes(std::span(&number, 1)));
  constexpr std::size_t place = offsetof(AttributeHeader, h_checksum);
  computed = crc32c(crc32c(computed, block.first(place)), le32{0});
  computed = crc32c(computed, block.subspan(place + sizeof(le32)));
  if (computed == header.h_checksum) return {};
  return fail(EBADMSG, "ext4: inode {}: attribute block {}: h_checksum {:#010x} should be {:#010x}",
              inode.number, inode.attribute_block, std::uint32_t{header.h_checksum}, computed);
}

Result<Region> region_in_block(Workspace& workspace, const InodeRecord& inode) {
  if (inode.attribute_block == 0) return Region{};
  const CachedBlock block = TRY(workspace.block(Block{inode.attribute_block}));
  // Several inodes may share the block, and nothing in it depends on which.
  constexpr std::uint64_t role = checked_as(BlockRole::attributes, 0);
  if (*block.checked != role) {
    TRY(check_block(workspace.volume().geometry(), inode, block.bytes));
    *block.checked = role;
  }
  return Region{.bytes = block.bytes, .first = sizeof(AttributeHeader), .base = 0};
}

/// The attribute with that index and name in a region; nothing where it is not there.
Result<std::optional<Attribute>> find_in(Workspace& workspace, const InodeRecord& inode, const Region& region,
                                         std::uint8_t index, std::string_view name) {
  if (region.bytes.empty()) return std::optional<Attribute>{};
  RegionReader reader(workspace.volume().geometry(), inode, region);
  while (const auto attribute = TRY(reader.next())) {
    if (attribute->index == index && attribute->name == name) return attribute;
  }
  return std::optional<Attribute>{};
}

Result<void> add_names(Workspace& workspace, const InodeRecord& inode, const Region& region,
                       std::vector<std::string>& names) {
  if (region.bytes.empty()) return {};
  RegionReader reader(workspace.volume().geometry(), inode, region);
  while (const auto attribute = TRY(reader.next())) {
    for (const Prefix& prefix : prefixes) {
      if (prefix.index == attribute->index) names.push_back(std::string(prefix.text).append(attribute->name));
    }
  }
  return {};
}

/// Reads a value that lies in an inode of its own.
Result<std::string> value_in_inode(Workspace& workspace, const InodeRecord& owner,
                                   const Attribute& attribute) {
  const std::uint32_t size = attribute.size;
  const InodeRecord inode = TRY(read_inode(workspace, attribute.value_inode));
  if (!inode.has(flag_ea_inode) || inode.has(flag_inline_data) || inode.attributes.size != size)
    return fail(EUCLEAN, "ext4: inode {}: value of {} bytes in inode {} of {} bytes", owner.number, size,
                inode.number, inode.attributes.size);
  std::string value(size, '\0');
  const auto bytes = std::as_writable_bytes(std::span(value));
  TRY(read_contents(workspace, inode, 0, bytes));
  // The hash is kept where other inodes have their access time; Lustre writes the owner in there instead.
  const auto hash = static_cast<std::uint32_t>(inode.attributes.accessed.tv_sec);
  const bool lustre = static_cast<std::uint32_t>(inode.attributes.modified.tv_sec) == owner.number &&
                      inode.attributes.generation == owner.attributes.generation;
  if (!lustre && crc32c(workspace.volume().geometry().checksum_seed, bytes) != hash)
    return fail(EUCLEAN, "ext4: inode {}: the value in inode {} does not match its hash", owner.number,
                inode.number);
  return value;
}

Result<std::string> value_of(Workspace& workspace, const InodeRecord& inode, const Attribute& attribute) {
  if (attribute.value_inode != 0) return value_in_inode(workspace, inode, attribute);
  return std::string(reinterpret_cast<const char*>(attribute.value.data()), attribute.value.size());
}

Result<std::string> raw_value(Workspace& workspace, const InodeRecord& inode, std::uint8_t index,
                              std::string_view name) {
  const Region in_inode = TRY(region_in_inode(workspace, inode));
  const auto here = TRY(find_in(workspace, inode, in_inode, index, name));
  if (here) return value_of(workspace, inode, *here);
  const Region in_block = TRY(region_in_block(workspace, inode));
  const auto there = TRY(find_in(workspace, inode, in_block, index, name));
  if (there) return value_of(workspace, inode, *there);
  return fail(ENODATA, "ext4: inode {} has no such attribute", inode.number);
}

}  // namespace

Result<std::vector<std::string>> attribute_names(Workspace& workspace, const InodeRecord& inode) {
  std::vector<std::string> names;
  const Region in_inode = TRY(region_in_inode(workspace, inode));
  TRY(add_names(workspace, inode, in_inode, names));
  const Region in_block = TRY(region_in_block(workspace, inode));
  TRY(add_names(workspace, inode, in_block, names));
  return names;
}

Result<std::string> attribute_value(Workspace& workspace, const InodeRecord& inode, std::string_view name) {
  for (const Prefix& prefix : prefixes) {
    if (!name.starts_with(prefix.text)) continue;
    const std::string_view rest = name.substr(prefix.text.size());
    if (prefix.whole != rest.empty()) continue;
    auto value = TRY(raw_value(workspace, inode, prefix.index, rest));
    if (!prefix.whole) return value;
    return acl_from_disk(std::as_bytes(std::span(value)));
  }
  return fail(ENODATA, "ext4: inode {} has no such attribute", inode.number);
}

Result<std::span<const std::byte>> inline_rest(Workspace& workspace, const InodeRecord& inode) {
  const Region region = TRY(region_in_inode(workspace, inode));
  const auto attribute = TRY(find_in(workspace, inode, region, index_system, "data"));
  if (!attribute || attribute->value_inode != 0)
    return fail(EUCLEAN, "ext4: inode {}: inline data without system.data", inode.number);
  return attribute->value;
}

}  // namespace vmfs::ext4
