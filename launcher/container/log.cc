// SPDX-License-Identifier: MIT
#include "launcher/container/log.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/container/process.h"

namespace vmfs {
namespace {

constexpr const char* log_file = "log";
constexpr const char* older_file = "log.1";
constexpr std::size_t largest_file = std::size_t{4} << 20;

int create_file(int folder) {
  return ::openat(folder, log_file, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
}

}  // namespace

Result<Log> Log::create(const Fd& folder) {
  Log log;
  log.folder_ = folder.get();
  log.file_ = Fd(create_file(folder.get()));
  if (!log.file_) return failed_call("log", errno);
  return log;
}

void Log::append(std::string_view text) {
  if (size_ > 0 && text.size() > largest_file - std::min(size_, largest_file) &&
      ::renameat(folder_, log_file, folder_, older_file) == 0) {
    if (Fd next(create_file(folder_)); next) file_ = std::move(next);
    size_ = 0;
  }
  while (!text.empty()) {
    const ssize_t written = ::write(file_.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    size_ += static_cast<std::size_t>(written);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

Result<bool> LogReader::read_file(const std::function<bool(std::string_view)>& print) const {
  char buffer[65536];
  while (true) {
    const ssize_t length = ::read(file_.get(), buffer, sizeof buffer);
    if (length == 0) return true;
    if (length < 0 && errno != EINTR) return failed_call("log", errno);
    if (length > 0 && !print({buffer, static_cast<std::size_t>(length)})) return false;
  }
}

bool LogReader::is_current() const {
  struct stat ours{};
  struct stat current{};
  return ::fstat(file_.get(), &ours) == 0 &&
         ::fstatat(folder_, log_file, &current, AT_SYMLINK_NOFOLLOW) == 0 && ours.st_ino == current.st_ino;
}

Result<bool> LogReader::read(const std::function<bool(std::string_view)>& print) {
  if (!file_) {
    file_ = Fd(::openat(folder_, older_file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  }
  if (file_) {
    // Whether more can come is asked first: what is added in between is read then in any case.
    const bool current = is_current();
    if (!TRY(read_file(print))) return false;
    if (current) return true;
  }
  Fd next(::openat(folder_, log_file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!next) return errno == ENOENT ? Result<bool>(true) : failed_call("log", errno);
  file_ = std::move(next);
  return read_file(print);
}

}  // namespace vmfs
