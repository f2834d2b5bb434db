// SPDX-License-Identifier: MIT
#include "fs/ext4/ext4.h"

#include <cerrno>

#include <sys/stat.h>

#include "fs/ext4/directory.h"
#include "fs/ext4/file.h"
#include "fs/ext4/recovery.h"
#include "fs/ext4/usage.h"
#include "fs/ext4/xattr.h"

namespace vmfs {
namespace ext4 {
namespace {

class Ext4 final : public Filesystem {
 public:
  Ext4(std::shared_ptr<const Source> source, const Superblock& superblock, const Geometry& geometry,
       Handle handle, FilesystemInfo info, const Freed& freed)
      : volume_(std::move(source), geometry, std::move(handle)),
        info_(std::move(info)),
        usage_(compute_usage(volume_, superblock, freed)) {}

  /// Whether there is a root directory at all. Errors: EUCLEAN, EBADMSG, EIO.
  [[nodiscard]] Result<void> check_root() const {
    const Volume::Lease workspace(volume_);
    const auto root = read_inode(*workspace, root_inode);
    if (!root && root.error().code == ESTALE) return fail(EUCLEAN, "{}", root.error().what);
    if (!root) return std::unexpected(root.error());
    if (root->is(S_IFDIR) && root->attributes.size != 0 && !root->has(flag_ea_inode)) return {};
    return fail(EUCLEAN, "ext4: root inode: i_mode {:#o}, i_size {}, i_flags {:#x}", root->attributes.mode,
                root->attributes.size, root->flags);
  }

  [[nodiscard]] const FilesystemInfo& info() const override { return info_; }
  [[nodiscard]] Inode root() const override { return Inode{root_inode}; }
  [[nodiscard]] Result<Usage> usage() const override { return usage_; }

  [[nodiscard]] Result<Attributes> stat(Inode inode) const override {
    const Volume::Lease workspace(volume_);
    InodeRecord record = TRY(read_user_inode(*workspace, inode));
    Attributes& attributes = record.attributes;
    // Inline data has no blocks, but programs take files without any for holes.
    if (record.has(flag_inline_data) && record.is(S_IFREG))
      attributes.blocks += (attributes.size + 511) / 512;
    // What readlink() shows is longer than what lies on disk.
    if (record.has(flag_encrypt) && record.is(S_IFLNK))
      attributes.size = TRY(read_link(*workspace, record)).size();
    return attributes;
  }

  [[nodiscard]] Result<Inode> lookup(Inode directory, std::string_view name) const override {
    const Volume::Lease workspace(volume_);
    const InodeRecord record = TRY(read_user_inode(*workspace, directory));
    if (!record.is(S_IFDIR)) return fail(ENOTDIR, "ext4: inode {} is no directory", record.number);
    return look_up(*workspace, record, name);
  }

  [[nodiscard]] Result<void> list(Inode directory, std::uint64_t cookie,
                                  const DirectoryVisitor& visit) const override {
    const Volume::Lease workspace(volume_);
    const InodeRecord record = TRY(read_user_inode(*workspace, directory));
    if (!record.is(S_IFDIR)) return fail(ENOTDIR, "ext4: inode {} is no directory", record.number);
    return list_directory(*workspace, record, cookie, visit);
  }

  void will_list(std::span<const Inode> directories) const override {
    const Volume::Lease workspace(volume_);
    std::vector<Piece> pieces;
    for (const Inode directory : directories) {
      const auto record = read_user_inode(*workspace, directory);
      if (record && record->is(S_IFDIR)) pieces.push_back(first_piece(*workspace, *record));
    }
    will_need(volume_.source(), std::move(pieces));
  }

  [[nodiscard]] Result<std::string> readlink(Inode inode) const override {
    const Volume::Lease workspace(volume_);
    const InodeRecord record = TRY(read_user_inode(*workspace, inode));
    if (!record.is(S_IFLNK)) return fail(EINVAL, "ext4: inode {} is no symbolic link", record.number);
    return read_link(*workspace, record);
  }

  [[nodiscard]] Result<std::shared_ptr<const Source>> open(Inode inode) const override {
    const Volume::Lease workspace(volume_);
    const InodeRecord record = TRY(read_user_inode(*workspace, inode));
    if (record.is(S_IFDIR)) return fail(EISDIR, "ext4: inode {} is a directory", record.number);
    if (!record.is(S_IFREG)) return fail(EINVAL, "ext4: inode {} is no regular file", record.number);
    return open_file(*workspace, record);
  }

  [[nodiscard]] Result<std::vector<std::string>> xattr_names(Inode inode) const override {
    const Volume::Lease workspace(volume_);
    const InodeRecord record = TRY(read_user_inode(*workspace, inode));
    return attribute_names(*workspace, record);
  }

  [[nodiscard]] Result<std::string> xattr(Inode inode, std::string_view name) const override {
    const Volume::Lease workspace(volume_);
    const InodeRecord record = TRY(read_user_inode(*workspace, inode));
    return attribute_value(*workspace, record, name);
  }

 private:
  const Volume volume_;
  const FilesystemInfo info_;
  const Result<Usage> usage_;
};

std::string uuid_text(const Superblock& superblock) {
  std::string text;
  for (std::size_t i = 0; i < superblock.s_uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", superblock.s_uuid[i]);
  }
  return text;
}

std::string state_of(const Superblock& superblock, const Recovery& recovery) {
  if ((superblock.s_state & state_error) != 0 || recovery.journal_error) return "damaged";
  if (recovery.replayed) return "replayed";
  const bool unfinished = (superblock.s_feature_incompat & incompat_recover) != 0;
  return unfinished || (superblock.s_state & state_valid) == 0 ? "dirty" : "clean";
}

FilesystemInfo describe(const Superblock& superblock, const Geometry& geometry, const Recovery& recovery) {
  const std::string_view label(superblock.s_volume_name.data(), superblock.s_volume_name.size());
  return {.type = type_name(superblock),
          .label = std::string(label.substr(0, label.find('\0'))),
          .uuid = uuid_text(superblock),
          .features = feature_names(superblock),
          .state = state_of(superblock, recovery),
          .size = geometry.block_count * geometry.block_size,
          .opens_can_fail = (superblock.s_feature_incompat & incompat_encrypt) != 0};
}

std::string counted(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string replay_text(const Recovery& recovery) {
  std::string text = fmt::format("replayed {} ({})", counted(recovery.transactions, "transaction"),
                                 counted(recovery.blocks, "block"));
  if (recovery.fast_changes != 0)
    text += fmt::format(" and fast commits ({})", counted(recovery.fast_changes, "change"));
  return text;
}

void warn_of_journal(const FilesystemInfo& info, const Superblock& superblock, const Recovery& recovery,
                     const Warn& warn) {
  if (recovery.replayed) {
    warn(fmt::format("{} {}: {}", info.type, info.uuid, replay_text(recovery)));
    if (recovery.missing_changes != 0)
      warn(
          fmt::format("{} {}: {} names of fast commits are missing: their directories are encrypted or have "
                      "inline data or no extents",
                      info.type, info.uuid, recovery.missing_changes));
  } else if ((superblock.s_feature_incompat & incompat_recover) == 0) {
    if (info.state == "dirty")
      warn(fmt::format("{} {}: was not unmounted cleanly, contents may be inconsistent", info.type,
                       info.uuid));
  } else if (has_external_journal(superblock)) {
    warn(fmt::format(
        "{} {}: its journal lies on another device, which is not at hand (--add names its image): the "
        "latest changes are missing or half there",
        info.type, info.uuid));
  } else {
    warn(fmt::format("{} {}: the journal was not replayed, the latest changes are missing or half there",
                     info.type, info.uuid));
  }
}

void warn_of_state(const FilesystemInfo& info, const Superblock& superblock, const Recovery& recovery,
                   const Handle& handle, const Warn& warn) {
  warn_of_journal(info, superblock, recovery, warn);
  if (info.state == "damaged")
    warn(fmt::format("{} {}: is marked as having errors, run e2fsck on the image", info.type, info.uuid));
  const std::uint32_t damaged = handle.damaged_groups();
  if (damaged != 0)
    warn(fmt::format("{} {}: {} group descriptors have a wrong checksum", info.type, info.uuid, damaged));
}

/// The recovery that a user asked for; the superblock is then the one that it left behind.
Result<Recovery> recover_as_wanted(std::shared_ptr<const Source> volume, Superblock& superblock,
                                   const FilesystemOptions& options) {
  if (!options.recover) return Recovery{.volume = std::move(volume)};
  auto recovery = recover(std::move(volume), options.journals, superblock);
  if (!recovery)
    return fail(recovery.error().code, "{}; --norecovery shows the disk as it is, without the latest changes",
                recovery.error().what);
  return recovery;
}

}  // namespace
}  // namespace ext4

Result<std::shared_ptr<const Filesystem>> open_ext4(std::shared_ptr<const Source> volume,
                                                    const FilesystemOptions& options) {
  ext4::Superblock superblock = TRY(ext4::read_superblock(*volume));
  (void)TRY(ext4::check_geometry(superblock, volume->size()));
  ext4::Recovery recovery = TRY(ext4::recover_as_wanted(std::move(volume), superblock, options));
  const ext4::Geometry geometry = TRY(ext4::check_geometry(superblock, recovery.volume->size()));
  ext4::Handle handle = TRY(ext4::Handle::open(*recovery.volume, geometry.block_size));
  FilesystemInfo info = ext4::describe(superblock, geometry, recovery);
  ext4::warn_of_state(info, superblock, recovery, handle, options.warn);
  auto opened = std::make_shared<ext4::Ext4>(std::move(recovery.volume), superblock, geometry,
                                             std::move(handle), std::move(info), recovery.freed);
  TRY(opened->check_root());
  return opened;
}

}  // namespace vmfs
