// SPDX-License-Identifier: MIT
// Changes a tree at random until it is killed: what a file system's journal has to bring back is made by
// this.
//   xfs_churn DIRECTORY SEED [SYNC]    SYNC: one of so many operations is an fsync or syncfs (default 40; 0:
//   none)
// Errors of single operations (no space, no such feature, a name that is gone) are part of the game.
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace {

// What <linux/fs.h> does not know yet on older systems (XFS_IOC_EXCHANGE_RANGE).
struct ExchangeRange {
  std::int32_t file1_fd;
  std::uint32_t pad;
  std::uint64_t file1_offset;
  std::uint64_t file2_offset;
  std::uint64_t length;
  std::uint64_t flags;
};
constexpr unsigned long exchange_range = _IOW('X', 129, ExchangeRange);
constexpr std::uint64_t exchange_to_eof = 1;

constexpr unsigned directories = 12;   // below each other
constexpr unsigned names = 24;         // in each of them
constexpr unsigned crowd_names = 900;  // in the one that grows and shrinks
constexpr std::size_t kept_open = 8;   // files that are unlinked and open

class Maps {
 public:
  bool start() {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      const std::string name = fmt::format("extents-{}", i);
      files_[i] = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
      if (files_[i] < 0 || !fill(files_[i], i)) return false;
    }
    return true;
  }

  void step() {
    ++count_;
    const int one = files_[count_ % files_.size()];
    const int two = files_[(count_ + 1 + count_ / 7 % 2) % files_.size()];
    ExchangeRange range{.file1_fd = one,
                        .pad = 0,
                        .file1_offset = 0,
                        .file2_offset = 0,
                        .length = 0,
                        .flags = exchange_to_eof};
    static_cast<void>(::ioctl(two, exchange_range, &range));
    if (count_ % 3 == 0) static_cast<void>(::ioctl(two, FICLONE, one));
    const off_t at = static_cast<off_t>(count_ * 7919 % (blocks * 4)) * block;
    if (count_ % 3 == 1) static_cast<void>(!::pwrite(one, text_.data(), text_.size(), at));
  }

 private:
  static constexpr off_t block = 4096;
  static constexpr unsigned blocks = 700;

  // Every second block, of contents that tell which it is; some are not written.
  bool fill(int fd, std::size_t index) {
    for (unsigned i = 0; i < blocks; ++i) {
      const std::string text = fmt::format("block {} of file {}", i, index);
      const off_t at = static_cast<off_t>(i) * 2 * block;
      if (i % 5 == index) {
        if (::fallocate(fd, 0, at, block) != 0) return false;
      } else if (::pwrite(fd, text.data(), text.size(), at) < 0) {
        return false;
      }
    }
    return ::ftruncate(fd, static_cast<off_t>(blocks * 2 + index * 50) * block) == 0 && ::fsync(fd) == 0;
  }

  std::array<int, 3> files_{};
  unsigned long count_ = 0;
  std::string text_ = std::string(60000, 't');
};

class Churn {
 public:
  Churn(unsigned long seed, unsigned long sync) : random_(seed), sync_(sync) {}

  void step() {
    if (sync_ != 0 && below(sync_) == 0) return flush();
    switch (below(20)) {
      case 0:
      case 1:
      case 2:
        return write_file();
      case 3:
        return ignore(::truncate(path().c_str(), static_cast<off_t>(below(300000))));
      case 4:
      case 5:
        return ignore(::unlink(path().c_str()));
      case 6:
        return ignore(::mkdir(directory(below(directories)).c_str(), 0755));
      case 7:
        return ignore(::rmdir(directory(below(directories)).c_str()));
      case 8:
      case 9:
        return ignore(::rename(path().c_str(), path().c_str()));
      case 10:
        return ignore(::link(path().c_str(), path().c_str()));
      case 11:
        return ignore(
            ::symlink(std::string(below(2) == 0 ? 20 : 1 + below(1000), 's').c_str(), path().c_str()));
      case 12:
      case 13:
        return change_attribute();
      case 14:
        return share();
      case 15:
        return change_space();
      case 16:
        return unlink_open();
      case 17:
        return change_mode();
      case 18:
        return crowd();
      default:
        return exchange();
    }
  }

 private:
  static void ignore(long /*result*/) {}

  unsigned below(unsigned long bound) { return static_cast<unsigned>(random_() % bound); }

  std::string directory(unsigned depth) const {
    std::string all = ".";
    for (unsigned i = 0; i < depth; ++i) all += fmt::format("/d{}", i % 4);
    return all;
  }
  std::string path() {
    return fmt::format("{}/f{}-{}", directory(below(directories)), below(names),
                       std::string(below(4) == 0 ? 60 : 3, 'n'));
  }

  void write_file() {
    const int fd = ::open(path().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return;
    data_.assign(below(3) == 0 ? 1 + below(200000) : 1 + below(6000), static_cast<char>('a' + below(26)));
    ignore(::pwrite(fd, data_.data(), data_.size(), static_cast<off_t>(below(200000))));
    ::close(fd);
  }

  void change_attribute() {
    const std::string name = fmt::format("user.{}{}", below(12), below(3) == 0 ? "-with-a-longer-name" : "");
    const std::string file = path();
    if (below(3) == 0) return ignore(::lremovexattr(file.c_str(), name.c_str()));
    const std::string value(below(6) == 0 ? 1 + below(20000) : 1 + below(200),
                            static_cast<char>('A' + below(26)));
    ignore(::lsetxattr(file.c_str(), name.c_str(), value.data(), value.size(), 0));
  }

  void share() {
    const int from = ::open(path().c_str(), O_RDONLY | O_CLOEXEC);
    const int to = ::open(path().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (from >= 0 && to >= 0) ignore(::ioctl(to, FICLONE, from));
    if (from >= 0) ::close(from);
    if (to >= 0) ::close(to);
  }

  void change_space() {
    constexpr std::array<int, 4> modes{FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, FALLOC_FL_ZERO_RANGE,
                                       FALLOC_FL_COLLAPSE_RANGE};
    const int fd = ::open(path().c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    const off_t unit = 4096;
    ignore(::fallocate(fd, modes[below(modes.size())], unit * below(40), unit * (1 + below(12))));
    ::close(fd);
  }

  void unlink_open() {
    const std::string file = path();
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return;
    ignore(::unlink(file.c_str()));
    ignore(::write(fd, "unlinked", 8));
    open_.push_back(fd);
    if (open_.size() <= kept_open) return;
    ::close(open_.front());
    open_.erase(open_.begin());
  }

  void change_mode() {
    const std::string file = path();
    if (below(3) == 0) return ignore(::mknod(file.c_str(), S_IFCHR | 0600, makedev(below(200), below(200))));
    ignore(::chmod(file.c_str(), 0400 + below(0400)));
    ignore(::lchown(file.c_str(), 1000 + below(5), 1000 + below(5)));
  }

  // A directory that passes through all formats, up and down.
  void crowd() {
    ignore(::mkdir("crowd", 0755));
    const unsigned first = below(crowd_names);
    const bool more = below(100) < (growing_ ? 75U : 25U);
    for (unsigned i = first; i < first + 60; ++i) {
      const std::string name = fmt::format("crowd/entry-number-{:030}", i % crowd_names);
      if (!more) {
        ignore(::unlink(name.c_str()));
        continue;
      }
      const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
      if (fd >= 0) ::close(fd);
    }
    if (below(30) == 0) growing_ = !growing_;
  }

  void exchange() {
    const int one = ::open(path().c_str(), O_RDWR | O_CLOEXEC);
    const int two = ::open(path().c_str(), O_RDWR | O_CLOEXEC);
    ExchangeRange range{.file1_fd = one,
                        .pad = 0,
                        .file1_offset = 0,
                        .file2_offset = 0,
                        .length = 0,
                        .flags = exchange_to_eof};
    if (below(2) == 0)
      range = {.file1_fd = one, .pad = 0, .file1_offset = 0, .file2_offset = 0, .length = 65536, .flags = 0};
    if (one >= 0 && two >= 0) ignore(::ioctl(two, exchange_range, &range));
    if (one >= 0) ::close(one);
    if (two >= 0) ::close(two);
  }

  void flush() {
    const bool all = below(3) == 0;
    const int fd = ::open(all ? "." : path().c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    ignore(all ? ::syncfs(fd) : ::fsync(fd));
    ::close(fd);
  }

  std::mt19937_64 random_;
  unsigned long sync_;
  std::string data_;
  std::vector<int> open_;
  bool growing_ = true;
};

// Lets another process write out what there is all the time, also in the midst of an operation.
void sync_beside() {
  const int fd = ::open(".", O_RDONLY | O_CLOEXEC);
  if (fd < 0 || ::fork() != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (::syncfs(fd) == 0) ::usleep(1000);
  ::_exit(0);
}

}  // namespace

// NOLINTNEXTLINE(bugprone-exception-escape): a test tool may end where there is no memory
int main(int argc, char** argv) {
  if (argc < 3 || ::chdir(argv[1]) != 0) {
    std::fputs("usage: xfs_churn DIRECTORY SEED [SYNC] | xfs_churn DIRECTORY maps\n", stderr);
    return 2;
  }
  if (std::string_view(argv[2]) == "maps") {
    Maps maps;
    if (!maps.start()) return 1;
    sync_beside();
    std::puts("ready");
    std::fflush(stdout);
    while (true) maps.step();
  }
  Churn churn(std::strtoul(argv[2], nullptr, 10), argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 40);
  while (true) churn.step();
}
