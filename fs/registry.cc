// SPDX-License-Identifier: MIT
#include "fs/registry.h"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "fs/ext4/ext4.h"
#include "fs/fat/fat.h"
#include "fs/xfs/xfs.h"

namespace vmfs {
namespace {

struct Reader {
  std::string_view type;
  Result<std::shared_ptr<const Filesystem>> (*open)(std::shared_ptr<const Source>, const FilesystemOptions&);
};

/// A new file system is one folder and one line here.
constexpr Reader readers[] = {
    {"ext2", open_ext4}, {"ext3", open_ext4}, {"ext4", open_ext4}, {"vfat", open_fat}, {"xfs", open_xfs},
};

}  // namespace

bool has_reader(std::string_view type) {
  return std::ranges::find(readers, type, &Reader::type) != std::end(readers);
}

Result<std::shared_ptr<const Filesystem>> open_filesystem(std::shared_ptr<const Source> volume,
                                                          const FilesystemOptions& options) {
  const auto identity = TRY(identify_volume(*volume));
  if (!identity) return fail(EINVAL, "no known file system");
  return open_filesystem(std::move(volume), identity->type, options);
}

Result<std::shared_ptr<const Filesystem>> open_filesystem(std::shared_ptr<const Source> volume,
                                                          std::string_view type,
                                                          const FilesystemOptions& options) {
  const Reader* const reader = std::ranges::find(readers, type, &Reader::type);
  if (reader == std::end(readers)) return fail(EOPNOTSUPP, "{} cannot be read", type);
  return reader->open(std::move(volume), options);
}

}  // namespace vmfs
