// SPDX-License-Identifier: MIT
#include "fs/xfs/xfs.h"

#include <algorithm>
#include <cerrno>
#include <string_view>

#include <sys/stat.h>

#include "fs/xfs/counters.h"
#include "fs/xfs/dir.h"
#include "fs/xfs/file.h"
#include "fs/xfs/log/finish.h"
#include "fs/xfs/log/recovery.h"
#include "fs/xfs/symlink.h"
#include "fs/xfs/xattr.h"

namespace vmfs {
namespace {

using xfs::InodeCore;
using xfs::Volume;

// The size of the largest thing that the cache holds.
std::size_t cached_size(const xfs::Geometry& g) {
  return std::max<std::size_t>(g.dir_block_size(), std::size_t{32} << g.inode_log);
}

std::string format_uuid(const xfs::Uuid& uuid) {
  std::string text;
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", uuid[i]);
  }
  return text;
}

class Xfs final : public Filesystem {
 public:
  Xfs(std::shared_ptr<const Volume> volume, FilesystemInfo info, Usage usage)
      : volume_(std::move(volume)), info_(std::move(info)), usage_(usage) {}

  [[nodiscard]] const FilesystemInfo& info() const override { return info_; }
  [[nodiscard]] Inode root() const override { return Inode{volume_->geometry.root}; }
  [[nodiscard]] Result<Usage> usage() const override { return usage_; }

  [[nodiscard]] Result<Attributes> stat(Inode inode) const override {
    return attributes_of(*volume_, TRY(inode_of(inode)));
  }

  [[nodiscard]] Result<Inode> lookup(Inode directory, std::string_view name) const override {
    return lookup_name(*volume_, TRY(directory_of(directory)), name);
  }

  [[nodiscard]] Result<void> list(Inode directory, std::uint64_t cookie,
                                  const DirectoryVisitor& visit) const override {
    return list_directory(*volume_, TRY(directory_of(directory)), cookie, visit);
  }

  [[nodiscard]] Result<std::string> readlink(Inode inode) const override {
    const InodeCore core = TRY(inode_of(inode));
    if (!S_ISLNK(core.mode)) return fail(EINVAL, "xfs: inode {} is no symbolic link", core.number);
    return read_symlink(*volume_, core);
  }

  [[nodiscard]] Result<std::shared_ptr<const Source>> open(Inode inode) const override {
    const InodeCore core = TRY(inode_of(inode));
    if (S_ISDIR(core.mode)) return fail(EISDIR, "xfs: inode {} is a directory", core.number);
    if (!S_ISREG(core.mode)) return fail(EINVAL, "xfs: inode {} is no regular file", core.number);
    return open_file(volume_, core);
  }

  [[nodiscard]] Result<std::vector<std::string>> xattr_names(Inode inode) const override {
    return list_xattrs(*volume_, TRY(inode_of(inode)));
  }

  [[nodiscard]] Result<std::string> xattr(Inode inode, std::string_view name) const override {
    return get_xattr(*volume_, TRY(inode_of(inode)), name);
  }

 private:
  [[nodiscard]] Result<InodeCore> inode_of(Inode inode) const {
    return read_inode(*volume_, static_cast<std::uint64_t>(inode));
  }

  [[nodiscard]] Result<InodeCore> directory_of(Inode inode) const {
    InodeCore core = TRY(inode_of(inode));
    if (!S_ISDIR(core.mode)) return fail(ENOTDIR, "xfs: inode {} is no directory", core.number);
    return core;
  }

  const std::shared_ptr<const Volume> volume_;
  const FilesystemInfo info_;
  const Usage usage_;
};

// A volume to read, and what there was to know of its log.
struct Ready {
  std::shared_ptr<const Source> source;
  xfs::Geometry geometry;
  bool dirty = false;  // there is something in the log that is not in its place
  xfs::Recovered recovered{};
};

// Leaves the log alone, with a warning if it is not clean.
Result<Ready> take_as_it_is(std::shared_ptr<const Source> source, const xfs::Geometry& geometry,
                            bool check_crc, const Warn& warn) {
  const auto dirty = xfs::log_is_dirty(*source, geometry, check_crc);
  if (!dirty) warn(fmt::format("{}; the log is ignored", dirty.error().what));
  if (dirty && *dirty)
    warn("xfs: the file system was not unmounted: changes that are only in its log are not seen");
  return Ready{.source = std::move(source), .geometry = geometry, .dirty = dirty.value_or(true)};
}

Result<Ready> recover(const std::shared_ptr<const Source>& source, const xfs::Geometry& geometry,
                      bool check_crc) {
  auto recovered = xfs::recover_log(source, geometry, check_crc);
  if (!recovered) {
    return fail(recovered.error().code,
                "{}: the log cannot be replayed (--norecovery shows the file system as it is on the disk, "
                "without the "
                "changes that are only in the log)",
                recovered.error().what);
  }
  Ready ready{.source = recovered->volume, .geometry = geometry, .dirty = recovered->dirty};
  if (recovered->dirty)
    ready.geometry = TRY(xfs::read_superblock(*ready.source, check_crc, [](const auto&) {}));
  ready.recovered = *std::move(recovered);
  return ready;
}

Result<Ready> prepare(std::shared_ptr<const Source> source, const FilesystemOptions& options,
                      bool check_crc) {
  const xfs::Geometry geometry = TRY(xfs::read_superblock(*source, check_crc, options.warn));
  if (geometry.log_start == 0) {
    options.warn("xfs: the log is on another device: changes that are only there are not seen");
    return Ready{.source = std::move(source), .geometry = geometry};
  }
  if (!options.recover) return take_as_it_is(std::move(source), geometry, check_crc, options.warn);
  return recover(source, geometry, check_crc);
}

std::string state_of(const Ready& ready, bool recover) {
  if (ready.geometry.needs_repair) return "damaged";
  if (!ready.dirty) return "clean";
  return recover ? "replayed" : "dirty";
}

std::string counted(std::uint64_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

Result<std::shared_ptr<const Filesystem>> open_checked(std::shared_ptr<const Source> source,
                                                       const FilesystemOptions& options, bool check_crc) {
  const Ready ready = TRY(prepare(std::move(source), options, check_crc));
  const xfs::Geometry& geometry = ready.geometry;
  auto volume = std::make_shared<Volume>(ready.source, geometry, cached_size(geometry), check_crc);
  if (ready.dirty && options.recover) {
    const auto finished = xfs::finish_intents(*volume, ready.recovered.unfinished, options.warn);
    options.warn(fmt::format("xfs {}: replayed {}, {} finished", format_uuid(geometry.uuid),
                             counted(ready.recovered.transactions, "transaction"),
                             counted(finished, "intent")));
  }
  const InodeCore root = TRY(read_inode(*volume, geometry.root));
  if (!S_ISDIR(root.mode)) return xfs::corrupt("root inode {}: di_mode {:#o}", root.number, root.mode);
  FilesystemInfo info{.type = "xfs",
                      .label = geometry.label,
                      .uuid = format_uuid(geometry.uuid),
                      .features = geometry.features,
                      .state = state_of(ready, options.recover),
                      .size = geometry.blocks << geometry.block_log};
  const Usage usage = count_usage(*volume, !ready.dirty);
  return std::make_shared<const Xfs>(std::move(volume), std::move(info), usage);
}

}  // namespace

Result<std::shared_ptr<const Filesystem>> open_xfs(std::shared_ptr<const Source> volume,
                                                   const FilesystemOptions& options) {
  return open_checked(std::move(volume), options, true);
}

Result<std::shared_ptr<const Filesystem>> open_xfs_without_checksums(std::shared_ptr<const Source> volume,
                                                                     const FilesystemOptions& options) {
  return open_checked(std::move(volume), options, false);
}

}  // namespace vmfs
