// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cerrno>
#include <cstring>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/tools/tree.h"

namespace vmfs::tests {

/// The errno of the last failed call.
inline std::unexpected<Error> system_error(const char* call) {
  const int code = errno;
  return fail(code, "{}: {}", call, std::strerror(code));  // NOLINT(concurrency-mt-unsafe): one thread
}

/// An open file, closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  const int fd_;
};

/// A regular file read by system calls.
class KernelContent final : public Content {
 public:
  explicit KernelContent(int fd) : fd_(fd) {}

  [[nodiscard]] Result<std::vector<Run>> data_runs() override {
    std::vector<Run> runs;
    off_t position = 0;
    for (;;) {
      const off_t data = ::lseek(fd_.get(), position, SEEK_DATA);
      if (data < 0 && errno == ENXIO) return runs;
      if (data < 0) return system_error("lseek(SEEK_DATA)");
      const off_t hole = ::lseek(fd_.get(), data, SEEK_HOLE);
      if (hole < 0) return system_error("lseek(SEEK_HOLE)");
      add_data(runs, static_cast<std::uint64_t>(data), static_cast<std::uint64_t>(hole - data));
      position = hole;
    }
  }

  [[nodiscard]] Result<std::size_t> read(std::uint64_t offset, std::span<std::byte> into) override {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t got =
          ::pread(fd_.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      if (got < 0) return system_error("pread");
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    return done;
  }

 private:
  const Descriptor fd_;
};

/// A file of a mounted tree, named relative to its opened directory so that no path is ever too long.
class KernelNode final : public Node {
 public:
  KernelNode(std::shared_ptr<const Descriptor> directory, std::string name)
      : directory_(std::move(directory)), name_(std::move(name)) {}

  [[nodiscard]] Result<Attributes> stat() override {
    struct statx found{};
    if (::statx(directory_->get(), name_.c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
                STATX_BASIC_STATS | STATX_BTIME, &found) != 0) {
      return system_error("statx");
    }
    device_ = makedev(found.stx_dev_major, found.stx_dev_minor);
    const auto time = [](const statx_timestamp& stamp) {
      return timespec{.tv_sec = stamp.tv_sec, .tv_nsec = static_cast<long>(stamp.tv_nsec)};
    };
    return Attributes{.inode = Inode{found.stx_ino},
                      .mode = found.stx_mode,
                      .links = found.stx_nlink,
                      .uid = found.stx_uid,
                      .gid = found.stx_gid,
                      .device = makedev(found.stx_rdev_major, found.stx_rdev_minor),
                      .size = found.stx_size,
                      .blocks = found.stx_blocks,
                      .block_size = found.stx_blksize,
                      .accessed = time(found.stx_atime),
                      .modified = time(found.stx_mtime),
                      .changed = time(found.stx_ctime),
                      .born = (found.stx_mask & STATX_BTIME) != 0 ? time(found.stx_btime) : timespec{}};
  }

  [[nodiscard]] Result<void> list(std::vector<Child>& children) override {
    const auto self = TRY(self_as_directory());
    const int copy = ::openat(self->get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (copy < 0) return system_error("openat");
    DIR* stream = ::fdopendir(copy);
    if (stream == nullptr) return system_error("fdopendir");
    errno = 0;
    while (const dirent* entry = ::readdir(stream)) {  // NOLINT(concurrency-mt-unsafe): own stream
      const std::string name = static_cast<const char*>(entry->d_name);
      if (name != "." && name != "..") {
        children.push_back({.name = name, .inode = entry->d_ino, .type = entry->d_type});
      }
      errno = 0;
    }
    const int code = errno;
    ::closedir(stream);
    if (code != 0) return fail(code, "readdir");
    return {};
  }

  [[nodiscard]] Result<std::unique_ptr<Node>> child(const std::string& name) override {
    return std::make_unique<KernelNode>(TRY(self_as_directory()), name);
  }

  [[nodiscard]] Result<std::string> readlink() override {
    std::string target(65536, '\0');
    const ssize_t length = ::readlinkat(directory_->get(), name_.c_str(), target.data(), target.size());
    if (length < 0) return system_error("readlinkat");
    target.resize(static_cast<std::size_t>(length));
    return target;
  }

  [[nodiscard]] Result<std::vector<std::string>> xattr_names() override {
    std::array<char, 65536> buffer{};
    const ssize_t length = ::llistxattr(path().c_str(), buffer.data(), buffer.size());
    if (length < 0) return system_error("llistxattr");
    std::vector<std::string> names;
    for (const char* name = buffer.data(); name < buffer.data() + length; name += names.back().size() + 1) {
      names.emplace_back(name);
    }
    return names;
  }

  [[nodiscard]] Result<std::string> xattr(const std::string& name) override {
    std::string value(65536, '\0');
    const ssize_t length = ::lgetxattr(path().c_str(), name.c_str(), value.data(), value.size());
    if (length < 0) return system_error("lgetxattr");
    value.resize(static_cast<std::size_t>(length));
    return value;
  }

  [[nodiscard]] Result<std::unique_ptr<Content>> open() override {
    const int fd = ::openat(directory_->get(), name_.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return system_error("openat");
    return std::make_unique<KernelContent>(fd);
  }

  [[nodiscard]] Result<Space> space() override {
    struct statvfs found{};
    const auto self = TRY(self_as_directory());
    if (::fstatvfs(self->get(), &found) != 0) return system_error("fstatvfs");
    return Space{.block_size = found.f_frsize,
                 .blocks = found.f_blocks,
                 .blocks_free = found.f_bfree,
                 .blocks_available = found.f_bavail,
                 .files = found.f_files,
                 .files_free = found.f_ffree,
                 .name_max = found.f_namemax};
  }

  [[nodiscard]] bool same_filesystem(const Node& parent) const override {
    const auto* above = dynamic_cast<const KernelNode*>(&parent);
    return above != nullptr && above->device_ == device_;
  }

 private:
  Result<std::shared_ptr<const Descriptor>> self_as_directory() {
    if (!self_) {
      const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
      const int fd = ::openat(directory_->get(), name_.c_str(), flags);
      if (fd < 0) return system_error("openat");
      self_ = std::make_shared<const Descriptor>(fd);
    }
    return self_;
  }

  [[nodiscard]] std::string path() const {
    return fmt::format("/proc/self/fd/{}/{}", directory_->get(), name_);
  }

  const std::shared_ptr<const Descriptor> directory_;
  const std::string name_;
  std::shared_ptr<const Descriptor> self_;  // opened when something below is asked for
  dev_t device_ = 0;                        // known after stat()
};

/// The root of a mounted tree.
inline Result<std::unique_ptr<Node>> open_kernel_tree(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return system_error(path.c_str());
  return std::make_unique<KernelNode>(std::make_shared<const Descriptor>(fd), ".");
}

}  // namespace vmfs::tests
