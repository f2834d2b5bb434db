// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "fs/ext4/inode.h"
#include "fs/ext4/names.h"
#include "fs/filesystem.h"

namespace vmfs::ext4 {

/// One entry of a directory block, its fields checked as the kernel checks them.
struct DirectoryItem {
  std::uint32_t inode = 0;  ///< 0: unused space
  std::uint32_t length = 0;
  std::uint8_t file_type = 0;
  NameHash hash;  ///< where entries carry it
  std::string_view name;
};

/// The entry at `offset` of a block or of a region of an inline directory (`region`, whole).
/// Errors: EUCLEAN.
[[nodiscard]] Result<DirectoryItem> item_at(const Geometry& geometry, const InodeRecord& directory,
                                            std::span<const std::byte> region, std::size_t offset);

/// Length in blocks, refused where no file system of this size can hold it (EUCLEAN).
[[nodiscard]] Result<std::uint64_t> directory_blocks(const Geometry& geometry, const InodeRecord& directory);

/// Verifies the checksum in the tail of a block of entries. Errors: EBADMSG.
[[nodiscard]] Result<void> check_leaf(const Geometry& geometry, const InodeRecord& directory,
                                      std::span<const std::byte> block);

/// Block `logical` of a directory through the cache, checked as `role`; EUCLEAN for a hole.
[[nodiscard]] Result<std::span<const std::byte>> directory_block(Workspace& workspace,
                                                                 const InodeRecord& directory,
                                                                 std::uint64_t logical, BlockRole role);

/// The inode of the entry that matches in a block or region; nothing if none does. Errors: EUCLEAN where none
/// does and an entry is damaged.
[[nodiscard]] Result<std::optional<std::uint32_t>> find_in_region(const Geometry& geometry,
                                                                  const InodeRecord& directory,
                                                                  std::span<const std::byte> region,
                                                                  const WantedName& wanted);

/// Filesystem::lookup() and Filesystem::list() for an inode that is a directory.
[[nodiscard]] Result<Inode> look_up(Workspace& workspace, const InodeRecord& directory,
                                    std::string_view name);
[[nodiscard]] Result<void> list_directory(Workspace& workspace, const InodeRecord& directory,
                                          std::uint64_t cookie, const DirectoryVisitor& visit);

/// What a listing reads first, in bytes of the volume; nothing where that is in the inode or cannot be told.
[[nodiscard]] Piece first_piece(Workspace& workspace, const InodeRecord& directory);

/// Hands entries to a visitor under the names users see, and keeps what Filesystem::list() says of damage.
class ItemPrinter {
 public:
  ItemPrinter(Workspace& workspace, const InodeRecord& directory, std::uint64_t cookie,
              const DirectoryVisitor& visit);

  /// Where in the directory the listing begins: entries that end there or before were seen.
  [[nodiscard]] std::uint64_t position() const { return position_; }

  /// Shows the entry that ends at `end`, or notes that its name cannot be shown. False when the visitor wants
  /// no more.
  bool print(const DirectoryItem& item, std::uint64_t end);
  bool print(DirectoryEntry entry, std::uint64_t end);

  /// Keeps the first damage; the entries behind it carry a mark in their cookies.
  void note(Error error);

  [[nodiscard]] bool wanted() const { return wanted_; }
  [[nodiscard]] const Result<void>& damage() const { return damage_; }

  /// Whether damage was met in this listing, or in one in front of the cookie.
  [[nodiscard]] bool is_damaged() const { return behind_damage_; }

 private:
  [[nodiscard]] Result<std::string> encrypted_name(const DirectoryItem& item) const;

  const Volume& volume_;
  const InodeRecord& directory_;
  const DirectoryVisitor& visit_;
  const std::optional<std::uint8_t> hash_version_;  ///< of the hashes in encrypted names
  const std::uint64_t position_;
  bool behind_damage_;
  bool wanted_ = true;
  Result<void> damage_;
};

/// Prints the entries of a block or region at `position` of the directory whose end lies behind the
/// printer's. Damage is noted there and hides the rest of the region.
void list_region(const Geometry& geometry, const InodeRecord& directory, std::span<const std::byte> region,
                 std::uint64_t position, ItemPrinter& printer);

/// As look_up() and list_directory(), for directories whose entries lie in the inode.
[[nodiscard]] Result<std::optional<std::uint32_t>> find_inline(Workspace& workspace,
                                                               const InodeRecord& directory,
                                                               std::string_view name,
                                                               const WantedName& wanted);
[[nodiscard]] Result<void> list_inline(Workspace& workspace, const InodeRecord& directory,
                                       ItemPrinter& printer);

}  // namespace vmfs::ext4
