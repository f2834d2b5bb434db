// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>
#include <time.h>

#include "formats/result.h"
#include "formats/source.h"

namespace vmfs {

/// Number of an inode within its file system, as stat(2) shows it.
enum class Inode : std::uint64_t {};

/// What stat(2) and statx(2) say of a file.
struct Attributes {
  Inode inode{};
  mode_t mode = 0;  ///< type and permission bits
  std::uint32_t links = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  dev_t device = 0;              ///< of a character or block device file
  std::uint64_t size = 0;        ///< bytes
  std::uint64_t blocks = 0;      ///< units of 512 bytes
  std::uint32_t block_size = 0;  ///< bytes, the preferred unit of I/O
  timespec accessed{};
  timespec modified{};
  timespec changed{};
  timespec born{};  ///< all zero where the file system keeps none
  std::uint32_t generation = 0;
};

/// One name in a directory.
struct DirectoryEntry {
  std::string_view name;  ///< valid during the visit only
  Inode inode{};
  unsigned char type = 0;  ///< DT_* of <dirent.h>; DT_UNKNOWN where the directory does not say
  /// Where to continue after this entry. Never 0, below 2^63, and stable as long as the image is.
  std::uint64_t next = 0;
};

/// Called for each entry; false stops the listing (this entry counts as not seen).
using DirectoryVisitor = std::function<bool(const DirectoryEntry&)>;

/// statvfs(3), in blocks of `block_size` bytes.
struct Usage {
  std::uint64_t block_size = 0;
  std::uint64_t blocks = 0;
  std::uint64_t blocks_free = 0;
  std::uint64_t blocks_available = 0;
  std::uint64_t files = 0;
  std::uint64_t files_free = 0;
  std::uint64_t name_max = 255;
  std::uint64_t id = 0;  ///< f_fsid
};

/// What `inspect` says of a file system.
struct FilesystemInfo {
  std::string type;                   ///< "ext2", "ext3", "ext4", "vfat", "xfs": as blkid
  std::string label;                  ///< UTF-8 as far as the file system's is
  std::string uuid;                   ///< as blkid: lower case with hyphens; of FAT "1234-ABCD"
  std::vector<std::string> features;  ///< by the names that dumpe2fs or xfs_info print
  std::string state;                  ///< "clean", "dirty" (a journal to replay), "replayed" or "damaged"
  std::uint64_t size = 0;             ///< bytes
  /// open() refuses some sound files (fscrypt without the key), so whoever serves opens has to ask each time.
  bool opens_can_fail = false;
};

/// A read-only file system on a `Source`. Immutable after it was opened; every function is safe for
/// concurrent use by multiple threads. Errors are those of the kernel's own driver: ENOENT, ENOTDIR, EUCLEAN
/// for damage (on what is damaged only), EIO, ESTALE for an inode that is not in use, ENODATA for an absent
/// attribute, ENOKEY for contents encrypted by fscrypt, EOPNOTSUPP.
class Filesystem {
 public:
  virtual ~Filesystem() = default;
  Filesystem() = default;
  Filesystem(const Filesystem&) = delete;
  Filesystem& operator=(const Filesystem&) = delete;

  [[nodiscard]] virtual const FilesystemInfo& info() const = 0;
  [[nodiscard]] virtual Inode root() const = 0;
  [[nodiscard]] virtual Result<Usage> usage() const = 0;

  /// What statvfs(3) of this file shows: usage() of the file system that the file itself lies on, where
  /// several are in one tree. Errors: as usage(), and ESTALE.
  [[nodiscard]] virtual Result<Usage> usage_at(Inode /*inode*/) const { return usage(); }

  [[nodiscard]] virtual Result<Attributes> stat(Inode inode) const = 0;

  /// The inode of `name` in `directory`, through the directory's index where it has one. Knows "." and "..".
  [[nodiscard]] virtual Result<Inode> lookup(Inode directory, std::string_view name) const = 0;

  /// Visits the entries of a directory from `cookie` (0, or `DirectoryEntry::next` of an earlier visit) in
  /// on-disk order, "." and ".." included. What can be read behind damage may be shown too; then the error is
  /// returned at the directory's end, by every listing that gets there, also by one that went on from a
  /// cookie behind the damage. So whoever serves a directory in pieces may drop the error of a call that
  /// showed entries: the call that goes on behind the last of them returns it again.
  [[nodiscard]] virtual Result<void> list(Inode directory, std::uint64_t cookie,
                                          const DirectoryVisitor& visit) const = 0;

  /// A hint that these directories are going to be listed: reads their inodes, begins to read what list()
  /// reads first and does not wait for that. Whatever goes wrong is left for list() to find.
  virtual void will_list(std::span<const Inode> /*directories*/) const {}

  [[nodiscard]] virtual Result<std::string> readlink(Inode inode) const = 0;

  /// The contents of a regular file as a source of exactly its size; it stays valid as long as the file
  /// system lives.
  [[nodiscard]] virtual Result<std::shared_ptr<const Source>> open(Inode inode) const = 0;

  /// Names of all extended attributes as listxattr(2) shows them to root ("user.", "trusted.", "security.",
  /// "system.").
  [[nodiscard]] virtual Result<std::vector<std::string>> xattr_names(Inode inode) const = 0;

  /// The value of one; POSIX ACLs in the form the kernel hands to user space (linux/posix_acl_xattr.h).
  [[nodiscard]] virtual Result<std::string> xattr(Inode inode, std::string_view name) const = 0;
};

}  // namespace vmfs
