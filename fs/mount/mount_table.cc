// SPDX-License-Identifier: MIT
#include "fs/mount/mount_table.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace vmfs {
namespace {

namespace stdfs = std::filesystem;

// The kernel writes space, tab, newline and backslash as three octal digits.
std::string unescape(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, value, 8).ptr == text.data() + i + 4) {
      out += static_cast<char>(value);
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::optional<MountEntry> parse_line(const std::string& line) {
  std::istringstream words(line);
  std::string id;
  std::string parent;
  std::string device;
  std::string root;
  std::string directory;
  std::string word;
  words >> id >> parent >> device >> root >> directory;
  while (words >> word && word != "-") {
  }
  MountEntry entry;
  if (!(words >> entry.type >> entry.source)) return std::nullopt;
  entry.directory = unescape(directory);
  entry.source = unescape(entry.source);
  unsigned major = 0;
  unsigned minor = 0;
  const char* const end = device.data() + device.size();
  const auto colon = std::from_chars(device.data(), end, major);
  if (colon.ptr != end) std::from_chars(colon.ptr + 1, end, minor);
  entry.device = makedev(major, minor);
  return entry;
}

// DONT_SYNC: a stuck server, ours or one on the network, is not waited for.
bool is_on(const std::string& path, dev_t device) {
  struct statx status{};
  return ::statx(AT_FDCWD, path.c_str(), AT_STATX_DONT_SYNC, STATX_TYPE, &status) == 0 &&
         makedev(status.stx_dev_major, status.stx_dev_minor) == device;
}

bool maps_from(const stdfs::path& process, dev_t device) {
  const auto wanted = fmt::format(" {:02x}:{:02x} ", major(device), minor(device));
  std::ifstream maps(process / "maps");
  for (std::string line; std::getline(maps, line);) {
    if (line.contains(wanted)) return true;
  }
  return false;
}

bool uses(const stdfs::path& process, dev_t device) {
  for (const char* link : {"cwd", "root", "exe"}) {
    if (is_on(process / link, device)) return true;
  }
  std::error_code code;
  for (stdfs::directory_iterator fd(process / "fd", code), end; !code && fd != end; fd.increment(code)) {
    if (is_on(fd->path(), device)) return true;
  }
  return maps_from(process, device);
}

std::vector<MountEntry> read_table() {
  std::vector<MountEntry> entries;
  std::ifstream table("/proc/self/mountinfo");
  for (std::string line; std::getline(table, line);) {
    if (auto entry = parse_line(line)) entries.push_back(*std::move(entry));
  }
  return entries;
}

std::optional<MountEntry> find_exact(const stdfs::path& directory) {
  std::optional<MountEntry> found;
  for (MountEntry& entry : read_table()) {
    if (entry.directory == directory) found = std::move(entry);
  }
  return found;
}

// Calls `visit` with the folder in /proc of every process, until it returns true.
template <class Visit>
void for_each_process(const Visit& visit) {
  std::error_code code;
  for (stdfs::directory_iterator process("/proc", code), end; !code && process != end;
       process.increment(code)) {
    const std::string name = process->path().filename().string();
    if (std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; }) && visit(process->path()))
      return;
  }
}

// A file of no bytes that only its name in /proc/PID/fd is for.
std::string mark_of(dev_t device) {
  return fmt::format("vmfs-server-{}:{}", major(device), minor(device));
}

bool is_marked(const stdfs::path& process, const stdfs::path& mark) {
  std::error_code code;
  for (stdfs::directory_iterator fd(process / "fd", code), end; !code && fd != end; fd.increment(code)) {
    std::error_code ignored;
    if (stdfs::read_symlink(fd->path(), ignored) == mark) return true;
  }
  return false;
}

}  // namespace

Result<std::optional<MountEntry>> find_mount(const stdfs::path& directory) {
  std::error_code code;
  stdfs::path given = stdfs::absolute(directory, code).lexically_normal();
  if (!given.has_filename()) given = given.parent_path();
  const stdfs::path wanted =
      given.has_filename() ? stdfs::canonical(given.parent_path(), code) / given.filename() : given;
  if (code) return fail(code.value(), "{}: {}", directory.string(), code.message());
  if (auto found = find_exact(wanted)) return found;
  const stdfs::path target = stdfs::canonical(wanted, code);
  return code ? std::nullopt : find_exact(target);
}

std::vector<stdfs::path> find_mounts_below(const stdfs::path& directory) {
  std::vector<stdfs::path> found;
  for (const MountEntry& entry : read_table()) {
    const auto [rest, _] = std::ranges::mismatch(directory, entry.directory);
    if (rest == directory.end() && entry.directory != directory) found.push_back(entry.directory);
  }
  return found;
}

std::vector<std::string> find_users(dev_t device) {
  constexpr std::size_t most = 8;
  std::vector<std::string> users;
  for_each_process([&](const stdfs::path& process) {
    if (!uses(process, device)) return false;
    std::string name;
    std::ifstream comm(process / "comm");
    std::getline(comm, name);
    users.push_back(fmt::format("{} (pid {})", name, process.filename().string()));
    return users.size() == most;
  });
  return users;
}

Result<void> mark_as_server(dev_t device) {
  if (::memfd_create(mark_of(device).c_str(), MFD_CLOEXEC) >= 0) return {};
  return fail(errno, "cannot mark the server: {}", std::generic_category().message(errno));
}

pid_t find_server(dev_t device) {
  const stdfs::path mark = fmt::format("/memfd:{} (deleted)", mark_of(device));
  pid_t server = 0;
  for_each_process([&](const stdfs::path& process) {
    if (!is_marked(process, mark)) return false;
    const std::string pid = process.filename().string();
    std::from_chars(pid.data(), pid.data() + pid.size(), server);
    return true;
  });
  return server;
}

}  // namespace vmfs
