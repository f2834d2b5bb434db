// SPDX-License-Identifier: MIT
#include "formats/host_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

namespace vmfs {
namespace {

// block/file-posix.c: RAW_LOCK_PERM_BASE + the bit number of BLK_PERM_WRITE in include/block/block-common.h.
constexpr off_t qemu_write_lock_byte = 100 + 1;

// File systems whose "regular files" run kernel code when they are read.
constexpr std::array<unsigned long, 10> kernel_interfaces = {
    PROC_SUPER_MAGIC,   SYSFS_MAGIC,         DEBUGFS_MAGIC, TRACEFS_MAGIC,  SECURITYFS_MAGIC,
    CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, BPF_FS_MAGIC,  PSTOREFS_MAGIC, EFIVARFS_MAGIC};

std::unexpected<Error> failed(const std::filesystem::path& path, int code) {
  return fail(code, "{}: {}", path.string(), std::generic_category().message(code));
}

struct Size {
  std::uint64_t length;
  std::uint64_t allocated;
};

Result<Size> size_of(int fd, const std::filesystem::path& path, HostFile::Kind kind) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return failed(path, errno);
  if (S_ISREG(status.st_mode)) {
    return Size{static_cast<std::uint64_t>(status.st_size),
                static_cast<std::uint64_t>(status.st_blocks) * 512};
  }
  if (kind == HostFile::Kind::any && S_ISBLK(status.st_mode)) {
    std::uint64_t length = 0;
    if (::ioctl(fd, BLKGETSIZE64, &length) != 0) return failed(path, errno);
    return Size{length, length};
  }
  return fail(EINVAL, "{}: not a regular file{}", path.string(),
              kind == HostFile::Kind::any ? " or block device" : "");
}

constexpr int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

// To open a device or FIFO can have effects of its own, so a file that only an image names is looked at
// first.
Result<int> open_regular(const std::filesystem::path& path) {
  const int handle = ::open(path.c_str(), O_PATH | O_CLOEXEC);
  if (handle < 0) return failed(path, errno);
  struct stat status{};
  struct statfs system{};
  const bool regular = ::fstat(handle, &status) == 0 && S_ISREG(status.st_mode) &&
                       ::fstatfs(handle, &system) == 0 &&
                       std::ranges::find(kernel_interfaces, static_cast<unsigned long>(system.f_type)) ==
                           kernel_interfaces.end();
  const int fd = regular ? ::open(fmt::format("/proc/self/fd/{}", handle).c_str(), flags) : -1;
  const int code = errno;
  ::close(handle);
  if (!regular) return fail(EINVAL, "{}: not a regular file", path.string());
  if (fd < 0) return failed(path, code);
  return fd;
}

Result<int> open_any(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), flags);
  if (fd < 0) return failed(path, errno);
  return fd;
}

}  // namespace

Result<std::shared_ptr<const HostFile>> HostFile::open(const std::filesystem::path& path, Kind kind) {
  const int fd = TRY(kind == Kind::any ? open_any(path) : open_regular(path));
  auto size = size_of(fd, path, kind);
  if (!size) {
    ::close(fd);
    return std::unexpected(std::move(size).error());
  }
  return std::shared_ptr<const HostFile>(new HostFile(path, fd, size->length, size->allocated));
}

HostFile::~HostFile() {
  ::close(fd_);
}

bool HostFile::open_for_writing_by_qemu() const {
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = qemu_write_lock_byte;
  lock.l_len = 1;
  return ::fcntl(fd_, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

Result<Extent> HostFile::do_map(std::uint64_t offset, std::uint64_t max_length) const {
  return Extent::data(fd_, offset, max_length);
}

}  // namespace vmfs
