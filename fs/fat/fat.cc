// SPDX-License-Identifier: MIT
#include "fs/fat/fat.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <mutex>
#include <unordered_map>

#include <dirent.h>
#include <sys/stat.h>

#include "fs/fat/directory.h"
#include "fs/fat/file.h"
#include "fs/fat/name.h"
#include "fs/fat/time.h"

namespace vmfs {
namespace fat {
namespace {

/// Whose the files are: FAT does not say.
struct Owners {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t fmask = 022;
  mode_t dmask = 022;
};

constexpr std::uint64_t name_max = 255 * 6;  // FAT_LFN_LEN characters of NLS_MAX_CHARSET_SIZE bytes
constexpr Inode root_inode{1};
constexpr std::size_t max_parents = 65536;

constexpr std::string_view dot_name = ".          ";
constexpr std::string_view dot_dot_name = "..         ";

bool has_name(const DirEntry& entry, std::string_view name) {
  return std::ranges::equal(entry.name, name, {}, {}, [](char c) { return static_cast<std::uint8_t>(c); });
}

bool is_dot(const DirEntry& entry) {
  return has_name(entry, dot_name) || has_name(entry, dot_dot_name);
}

bool can_be_a_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos;
}

bool is_directory(const DirEntry& entry) {
  return (entry.attr & attr_directory) != 0;
}

/// What it takes a walk through a directory to know.
struct Measure {
  std::uint64_t size = 0;
  std::uint32_t subdirectories = 0;
};

class Fat final : public Filesystem {
 public:
  Fat(std::shared_ptr<const Volume> volume, FilesystemInfo info, Owners owners)
      : volume_(std::move(volume)), info_(std::move(info)), owners_(owners) {}

  [[nodiscard]] const FilesystemInfo& info() const override { return info_; }
  [[nodiscard]] Inode root() const override { return root_inode; }

  [[nodiscard]] Result<Usage> usage() const override {
    const Geometry& g = volume_->geometry;
    Usage usage;
    usage.block_size = g.cluster_size;
    usage.blocks = g.cluster_end - first_cluster;
    usage.blocks_free = usage.blocks_available = TRY(volume_->table.count_free());
    usage.name_max = name_max;
    usage.id = g.serial;
    return usage;
  }

  [[nodiscard]] Result<Attributes> stat(Inode inode) const override {
    if (inode == root_inode) return stat_root();
    const DirEntry entry = TRY(entry_of(inode));
    Attributes attributes = TRY(is_directory(entry) ? stat_directory(inode) : stat_file(entry));
    attributes.inode = inode;
    if ((entry.attr & attr_read_only) != 0 && !is_directory(entry)) attributes.mode &= ~0222U;
    attributes.modified = attributes.changed = to_time(entry.wrt_date, entry.wrt_time, 0);
    attributes.accessed = to_time(entry.lst_acc_date, 0, 0);
    attributes.born = to_time(entry.crt_date, entry.crt_time, entry.crt_time_tenth);
    return attributes;
  }

  [[nodiscard]] Result<Inode> lookup(Inode directory, std::string_view name) const override {
    const Cluster start = TRY(directory_start(directory));
    if (name == ".") return directory;
    if (name == "..") return parent_of(directory, start);
    // Linux leaves dots at the end of a name away.
    while (name.ends_with('.')) name.remove_suffix(1);
    RecordReader reader(*volume_, start);
    for (DirectoryRecord record;;) {
      const bool there = TRY(reader.next(record));
      if (!there) return fail(ENOENT, "no '{}'", name);
      if (is_dot(record.entry)) continue;
      if (!same_name(record.short_name, name) && !same_name(record.name, name)) continue;
      return remember(record);
    }
  }

  [[nodiscard]] Result<void> list(Inode directory, std::uint64_t cookie,
                                  const DirectoryVisitor& visit) const override {
    const Cluster start = TRY(directory_start(directory));
    // "." and ".." are on the disk, or not: they come first, and cookies 1 and 2 are theirs.
    const Inode parent = parent_of(directory, start).value_or(directory);
    if (cookie < 1 && !visit({.name = ".", .inode = directory, .type = DT_DIR, .next = 1})) return {};
    if (cookie < 2 && !visit({.name = "..", .inode = parent, .type = DT_DIR, .next = 2})) return {};
    RecordReader reader(*volume_, start);
    if (cookie > 2) {
      const bool there =
          TRY(reader.skip_to(static_cast<std::uint32_t>(std::min<std::uint64_t>(cookie - 2, UINT32_MAX))));
      if (!there) return {};
    }
    for (DirectoryRecord record;;) {
      const bool there = TRY(reader.next(record));
      if (!there) return {};
      if (is_dot(record.entry) || !can_be_a_name(record.name)) continue;
      const unsigned char type = is_directory(record.entry) ? DT_DIR : DT_REG;
      if (!visit({.name = record.name, .inode = remember(record), .type = type, .next = record.next + 2U}))
        return {};
    }
  }

  [[nodiscard]] Result<std::string> readlink(Inode inode) const override {
    return fail(EINVAL, "fat: inode {} is no symbolic link", static_cast<std::uint64_t>(inode));
  }

  [[nodiscard]] Result<std::shared_ptr<const Source>> open(Inode inode) const override {
    if (inode == root_inode) return fail(EISDIR, "fat: the root is a directory");
    const DirEntry entry = TRY(entry_of(inode));
    if (is_directory(entry))
      return fail(EISDIR, "fat: inode {} is a directory", static_cast<std::uint64_t>(inode));
    return open_file(volume_, start_of(*volume_, entry), entry.file_size);
  }

  [[nodiscard]] Result<std::vector<std::string>> xattr_names(Inode inode) const override {
    if (inode != root_inode) TRY(entry_of(inode));
    return std::vector<std::string>{};
  }

  [[nodiscard]] Result<std::string> xattr(Inode /*inode*/, std::string_view /*name*/) const override {
    return fail(EOPNOTSUPP, "fat: there are no extended attributes");
  }

 private:
  /// The entry that an inode number stands for. Errors: ESTALE where no file is, EIO.
  [[nodiscard]] Result<DirEntry> entry_of(Inode inode) const {
    const auto number = static_cast<std::uint64_t>(inode);
    const Geometry& g = volume_->geometry;
    const std::uint64_t end = std::min(g.offset_of(g.cluster_end), volume_->source->size());
    if (number < g.root_offset / entry_size || number >= end / entry_size)
      return fail(ESTALE, "fat: no inode {}", number);
    const auto entry = TRY(read_struct<DirEntry>(*volume_->source, number * entry_size));
    if (is_free(entry) || (entry.attr & attr_volume_id) != 0) return fail(ESTALE, "fat: no inode {}", number);
    return entry;
  }

  /// Errors: ENOTDIR, EIO.
  [[nodiscard]] Result<Cluster> directory_start(Inode directory) const {
    if (directory == root_inode) return root_start(*volume_);
    const DirEntry entry = TRY(entry_of(directory));
    const Cluster start = start_of(*volume_, entry);
    if (!is_directory(entry))
      return fail(ENOTDIR, "fat: inode {} is no directory", static_cast<std::uint64_t>(directory));
    if (start == 0 || start == root_start(*volume_))
      return fail(EIO, "fat: inode {}: a directory begins at cluster {}",
                  static_cast<std::uint64_t>(directory), start);
    return start;
  }

  [[nodiscard]] Result<Measure> measure(Cluster start) const {
    EntryReader reader(*volume_, start);
    Measure found;
    for (;;) {
      const bool there = TRY(reader.next());
      if (!there) break;
      const DirEntry& entry = reader.entry();
      if (!is_free(entry) && (entry.attr & attr_volume_id) == 0 && is_directory(entry))
        ++found.subdirectories;
    }
    found.size = start == 0 ? volume_->geometry.root_entries * entry_size
                            : std::uint64_t{reader.clusters()} * volume_->geometry.cluster_size;
    return found;
  }

  [[nodiscard]] Attributes make_attributes(mode_t mode, std::uint64_t size) const {
    const std::uint64_t cluster = volume_->geometry.cluster_size;
    Attributes attributes;
    attributes.mode = mode;
    attributes.links = 1;
    attributes.uid = owners_.uid;
    attributes.gid = owners_.gid;
    attributes.size = size;
    attributes.blocks = (size + cluster - 1) / cluster * (cluster / 512);
    attributes.block_size = volume_->geometry.cluster_size;
    return attributes;
  }

  [[nodiscard]] Result<Attributes> stat_root() const {
    const Measure found = TRY(measure(root_start(*volume_)));
    Attributes attributes = make_attributes(S_IFDIR | (0777 & ~owners_.dmask), found.size);
    attributes.inode = root_inode;
    attributes.links = found.subdirectories + 2;
    return attributes;
  }

  [[nodiscard]] Result<Attributes> stat_directory(Inode inode) const {
    const Cluster start = TRY(directory_start(inode));
    const Measure found = TRY(measure(start));
    // "." and ".." at least.
    if (found.subdirectories < 2)
      return fail(EIO, "fat: inode {}: a directory without . and ..", static_cast<std::uint64_t>(inode));
    Attributes attributes = make_attributes(S_IFDIR | (0777 & ~owners_.dmask), found.size);
    attributes.links = found.subdirectories;
    return attributes;
  }

  [[nodiscard]] Result<Attributes> stat_file(const DirEntry& entry) const {
    return make_attributes(S_IFREG | (0777 & ~owners_.fmask), entry.file_size);
  }

  /// The inode of a record, and for the sake of ".." what begins at its first cluster.
  Inode remember(const DirectoryRecord& record) const {
    const Inode inode{record.offset / entry_size};
    if (!is_directory(record.entry)) return inode;
    const std::lock_guard lock(mutex_);
    if (parents_.size() < max_parents) parents_.emplace(start_of(*volume_, record.entry), inode);
    return inode;
  }

  /// Where ".." of the directory at `start` leads.
  [[nodiscard]] Result<Cluster> dot_dot(Cluster start) const {
    EntryReader reader(*volume_, start);
    for (;;) {
      const bool there = TRY(reader.next());
      if (!there) return fail(EIO, "fat: the directory at cluster {} has no ..", start);
      if (has_name(reader.entry(), dot_dot_name)) break;
    }
    const Cluster parent = start_of(*volume_, reader.entry());
    return parent == 0 ? root_start(*volume_) : parent;
  }

  /// FAT knows the parent's first cluster only: its entry is in the parent's parent.
  [[nodiscard]] Result<Inode> parent_of(Inode directory, Cluster start) const {
    if (directory == root_inode) return root_inode;
    const Cluster parent = TRY(dot_dot(start));
    if (parent == root_start(*volume_)) return root_inode;
    {
      const std::lock_guard lock(mutex_);
      if (const auto known = parents_.find(parent); known != parents_.end()) return known->second;
    }
    const Cluster above = TRY(dot_dot(parent));
    RecordReader reader(*volume_, above);
    for (DirectoryRecord record;;) {
      const bool there = TRY(reader.next(record));
      if (!there) return fail(EIO, "fat: no directory begins at cluster {}", parent);
      if (is_directory(record.entry) && !is_dot(record.entry) && start_of(*volume_, record.entry) == parent)
        return remember(record);
    }
  }

  const std::shared_ptr<const Volume> volume_;
  const FilesystemInfo info_;
  const Owners owners_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<Cluster, Inode> parents_;  ///< directories seen, by their first cluster
};

void set_number(std::string_view option, std::string_view name, int base, auto&... values) {
  if (!option.starts_with(name)) return;
  std::uint32_t number = 0;
  const auto [end, code] =
      std::from_chars(option.data() + name.size(), option.data() + option.size(), number, base);
  if (code == std::errc{} && end == option.data() + option.size()) ((values = number), ...);
}

Owners parse_owners(std::string_view options) {
  Owners owners;
  while (!options.empty()) {
    const std::string_view option = options.substr(0, options.find(','));
    options.remove_prefix(std::min(options.size(), option.size() + 1));
    set_number(option, "uid=", 10, owners.uid);
    set_number(option, "gid=", 10, owners.gid);
    set_number(option, "umask=", 8, owners.fmask, owners.dmask);
    set_number(option, "fmask=", 8, owners.fmask);
    set_number(option, "dmask=", 8, owners.dmask);
  }
  return owners;
}

/// The label is an entry of the root; that of the boot sector is not kept up to date.
Result<std::string> read_label(const Volume& volume) {
  EntryReader reader(volume, root_start(volume));
  for (;;) {
    const bool there = TRY(reader.next());
    if (!there || reader.entry().name[0] == 0) return std::string();
    const DirEntry& entry = reader.entry();
    const bool is_label =
        entry.attr != attr_long_name && (entry.attr & (attr_volume_id | attr_directory)) == attr_volume_id;
    if (is_label && !is_free(entry)) break;
  }
  std::string label = label_text(reader.entry());
  return label == "NO NAME" ? std::string() : label;
}

}  // namespace
}  // namespace fat

Result<std::shared_ptr<const Filesystem>> open_fat(std::shared_ptr<const Source> volume,
                                                   const FilesystemOptions& /*options*/) {
  return open_fat_with(std::move(volume), "");
}

Result<std::shared_ptr<const Filesystem>> open_fat_with(std::shared_ptr<const Source> volume,
                                                        std::string_view mount_options) {
  const fat::Geometry geometry = TRY(fat::read_boot_sector(*volume));
  auto opened = std::make_shared<const fat::Volume>(std::move(volume), geometry);
  FilesystemInfo info{.type = "vfat",
                      .label = TRY(fat::read_label(*opened)),
                      .uuid = fmt::format("{:04X}-{:04X}", geometry.serial >> 16U, geometry.serial & 0xffffU),
                      .features = {fmt::format("FAT{}", geometry.bits)},
                      .state = geometry.dirty ? "dirty" : "clean",
                      .size = geometry.offset_of(geometry.cluster_end)};
  return std::make_shared<const fat::Fat>(std::move(opened), std::move(info),
                                          fat::parse_owners(mount_options));
}

}  // namespace vmfs
