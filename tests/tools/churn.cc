// SPDX-License-Identifier: MIT
// Changes a mounted file system without rest, at random but the same for each seed, as a busy machine does
// until it loses power: names come and go, files grow, shrink and get holes, deleted ones stay open, and now
// and then something is made durable. Stops after --operations, or when it is killed, or when the file system
// is shut down under it, which is no error.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace {

constexpr std::size_t most_open = 8;

/// EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN are one.
constexpr unsigned long shutdown_request = _IOR('X', 125, std::uint32_t);

class Churn {
 public:
  Churn(std::string root, std::uint32_t seed, bool plain)
      : root_(std::move(root)), random_(seed), plain_(plain) {}

  ~Churn() {
    for (const int fd : open_) ::close(fd);
  }
  Churn(const Churn&) = delete;
  Churn& operator=(const Churn&) = delete;

  void run(std::uint64_t operations) {
    for (std::uint64_t done = 0; !dead_ && (operations == 0 || done < operations); ++done) step();
  }

 private:
  std::uint32_t below(std::uint32_t limit) { return static_cast<std::uint32_t>(random_() % limit); }

  std::string folder() {
    const std::uint32_t number = below(12);
    if (number < 5) return root_;
    if (number < 9) return fmt::format("{}/folder{}", root_, number);
    return fmt::format("{}/folder{}/deep", root_, number - 4);
  }

  std::string name() {
    const std::uint32_t number = below(40);
    return number % 5 != 0 ? fmt::format("{}/file{}", folder(), number)
                           : fmt::format("{}/{}{}", folder(), std::string(120, 'n'), number);
  }

  /// Notes a shutdown; all other failures are what random operations meet.
  void see(long result) {
    dead_ = dead_ || (result < 0 && (errno == EIO || errno == ESHUTDOWN || errno == EROFS));
  }

  void with_file(int flags, auto&& use) {
    const int fd = ::open(name().c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
    see(fd);
    if (fd < 0) return;
    use(fd);
    ::close(fd);
  }

  void write(int fd, off_t offset) {
    std::vector<char> bytes(1 + below(below(8) == 0 ? 60000 : 5000));
    std::ranges::generate(bytes, [this] { return static_cast<char>(random_()); });
    see(::pwrite(fd, bytes.data(), bytes.size(), offset));
  }

  void append(int fd) {
    struct stat found{};
    if (::fstat(fd, &found) == 0 && found.st_size < (1 << 19)) write(fd, found.st_size);
  }

  void keep_deleted() {
    const std::string victim = name();
    const int fd = ::open(victim.c_str(), O_RDWR | O_CLOEXEC | O_CREAT | O_NONBLOCK | O_NOFOLLOW, 0600);
    see(fd);
    if (fd < 0) return;
    append(fd);
    see(::unlink(victim.c_str()));
    open_.push_back(fd);
    if (open_.size() <= most_open) return;
    ::close(open_.front());
    open_.erase(open_.begin());
  }

  void change_name() {
    const std::string from = name();
    switch (below(6)) {
      case 0:
        return see(::link(from.c_str(), name().c_str()));
      case 1:
        return see(::rename(from.c_str(), name().c_str()));
      case 2:
        return see(::symlink(std::string(1 + below(100), 't').c_str(), from.c_str()));
      case 3:
        return see(::mknod(from.c_str(), S_IFIFO | 0600, 0));
      default:
        return see(::unlink(from.c_str()));
    }
  }

  void change_folder() {
    const std::string path = folder();
    if (below(3) != 0) return see(::mkdir(path.c_str(), 0750));
    see(below(2) == 0 ? ::rmdir(path.c_str()) : ::rename(path.c_str(), folder().c_str()));
  }

  void change_attributes() {
    const std::string path = name();
    const std::string value(1 + below(below(10) == 0 ? 700 : 60), static_cast<char>('a' + below(26)));
    const std::string attribute = fmt::format("user.attribute{}", below(4));
    switch (below(4)) {
      case 0:
        return see(::chmod(path.c_str(), below(01000)));
      case 1:
        return see(::lchown(path.c_str(), below(70000), below(70000)));
      case 2:
        return see(plain_ ? 0 : ::lremovexattr(path.c_str(), attribute.c_str()));
      default:
        return see(plain_ ? 0 : ::lsetxattr(path.c_str(), attribute.c_str(), value.data(), value.size(), 0));
    }
  }

  void change_space(int fd) {
    const off_t offset = below(300000);
    const off_t length = 1 + below(100000);
    constexpr std::array modes{0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                               FALLOC_FL_ZERO_RANGE};
    if (!plain_) see(::fallocate(fd, modes[below(modes.size())], offset, length));
  }

  void step() {
    switch (below(16)) {
      case 0:
      case 1:
        return with_file(O_RDWR | O_CREAT, [this](int fd) { append(fd); });
      case 2:
        return with_file(O_RDWR | O_CREAT, [this](int fd) { write(fd, below(200000)); });
      case 3:
        return with_file(O_RDWR | O_CREAT | O_TRUNC, [this](int fd) { append(fd); });
      case 4:
        return with_file(O_RDWR, [this](int fd) { see(::ftruncate(fd, below(200000))); });
      case 5:
        return with_file(O_RDWR, [this](int fd) { change_space(fd); });
      case 6:
      case 7:
        return with_file(O_RDWR | O_CREAT, [this](int fd) {
          append(fd);
          see(below(2) == 0 ? ::fsync(fd) : ::fdatasync(fd));
        });
      case 8:
        return keep_deleted();
      case 9:
        return change_folder();
      case 10:
        return change_attributes();
      case 11:
        if (below(10) == 0) with_file(O_RDONLY, [this](int fd) { see(::syncfs(fd)); });
        return;
      default:
        return change_name();
    }
  }

  const std::string root_;
  std::mt19937 random_;
  const bool plain_;
  std::vector<int> open_;
  bool dead_ = false;
};

int shut_down(const std::string& root, std::uint32_t flags) {
  const int fd = ::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0 && ::ioctl(fd, shutdown_request, &flags) == 0) return 0;
  fmt::print(stderr, "churn: {}: {}\n", root, std::strerror(errno));  // NOLINT(concurrency-mt-unsafe)
  return 1;
}

}  // namespace

// NOLINTNEXTLINE(bugprone-exception-escape): a test tool may end where there is no memory
int main(int argc, char** argv) {
  std::string root;
  std::uint32_t seed = 1;
  std::uint64_t operations = 0;
  std::uint32_t flags = 0;
  bool plain = false;
  CLI::App app("changes a file system without rest");
  app.add_option("folder", root, "where it is mounted")->required();
  app.add_option("--seed", seed, "of the random operations");
  app.add_option("--operations", operations, "how many; 0: until the end");
  app.add_flag("--plain", plain, "only what an ext4 fast commit can log");
  const auto* shutdown = app.add_option("--shutdown", flags, "do nothing but shut the file system down");
  CLI11_PARSE(app, argc, argv);
  if (shutdown->count() > 0) return shut_down(root, flags);
  Churn(root, seed, plain).run(operations);
  return 0;
}
