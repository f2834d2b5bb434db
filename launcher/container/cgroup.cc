// SPDX-License-Identifier: MIT
#include "launcher/container/cgroup.h"

#include <algorithm>
#include <cerrno>
#include <sstream>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/ranges.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/container/process.h"
#include "launcher/container/syscalls.h"
#include "launcher/container/words.h"

namespace vmfs {
namespace {

constexpr const char* group_prefix = "vmfs-";
constexpr const char* callers_name = "callers";  // the leaf for whoever lives in the group that is divided
constexpr const char* guest_name = "guest";

// Enough for any init; what a container leaves behind must be possible to remove.
constexpr int deepest = 32;
constexpr const char* bounds[][2] = {{"cgroup.max.depth", "32"}, {"cgroup.max.descendants", "10000"}};

// The files that cgroups(7) counts as a delegated group's, beside the directory.
constexpr const char* delegated_files[] = {"cgroup.procs", "cgroup.threads", "cgroup.subtree_control"};

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::ranges::find(words, word) != words.end();
}

struct MountLine {
  std::string root;
  std::string place;
  std::string type;
  std::string options;  // of the file system
};

bool is_octal(char c) {
  return c >= '0' && c <= '7';
}

// Blanks and the like are \ooo.
std::string unescape(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) &&
                        is_octal(text[i + 2]) && is_octal(text[i + 3]);
    if (!escape) {
      out += text[i];
      continue;
    }
    out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
    i += 3;
  }
  return out;
}

// proc_pid_mountinfo(5): fields of fixed number, optional ones, "-", the file system's.
std::vector<MountLine> mounts_of(std::string_view mountinfo) {
  std::vector<MountLine> mounts;
  for (const std::string& line : split_words(mountinfo, '\n')) {
    const auto words = words_of(line);
    const auto dash = std::ranges::find(words, "-");
    if (dash - words.begin() < 6 || words.end() - dash < 4) continue;
    mounts.push_back(
        {.root = unescape(words[3]), .place = unescape(words[4]), .type = dash[1], .options = dash[3]});
  }
  return mounts;
}

std::optional<std::string> below(const std::string& path, const std::string& root) {
  if (root == "/") return path == "/" ? "" : path;
  if (path == root) return "";
  if (path.starts_with(root + "/")) return path.substr(root.size());
  return std::nullopt;
}

std::string read_machine(const char* name) {
  return read_text(std::string("/proc/self/") + name);
}

}  // namespace

std::optional<std::string> own_group(std::string_view mountinfo, std::string_view membership) {
  constexpr std::string_view version_2 = "0::/";
  for (const std::string& line : split_words(membership, '\n')) {
    if (!line.starts_with(version_2) || line.contains("/..")) continue;
    const std::string path = line.substr(version_2.size() - 1);
    for (const MountLine& mount : mounts_of(mountinfo)) {
      if (mount.type != "cgroup2") continue;
      if (const auto rest = below(path, mount.root)) return mount.place + *rest;
    }
  }
  return std::nullopt;
}

bool is_bound_to_version_1(std::string_view mountinfo, std::string_view controller) {
  return std::ranges::any_of(mounts_of(mountinfo), [&](const MountLine& mount) {
    return mount.type == "cgroup" && contains(split_words(mount.options, ','), std::string(controller));
  });
}

std::string group_to_divide(const std::string& own) {
  const std::string leaf = fmt::format("/{}{}", group_prefix, callers_name);
  return own.ends_with(leaf) ? own.substr(0, own.size() - leaf.size()) : own;
}

std::vector<GroupSetting> settings_of(const Limits& limits) {
  constexpr std::uint64_t period = 100'000;  // microseconds, the kernel's default
  std::vector<GroupSetting> settings;
  if (limits.memory != 0) {
    const std::string bytes = std::to_string(limits.memory);
    settings.push_back({.controller = "memory", .file = "memory.max", .value = bytes, .option = "--memory"});
    // As much swap again, as podman gives.
    settings.push_back({.controller = "memory", .file = "memory.swap.max", .value = bytes, .option = ""});
  }
  if (limits.cpu_thousandths != 0) {
    settings.push_back({.controller = "cpu",
                        .file = "cpu.max",
                        .value = fmt::format("{} {}", limits.cpu_thousandths * period / 1000, period),
                        .option = "--cpus"});
  }
  if (limits.processes != 0) {
    settings.push_back({.controller = "pids",
                        .file = "pids.max",
                        .value = std::to_string(limits.processes),
                        .option = "--pids-limit"});
  }
  return settings;
}

Error missing_controller(const GroupSetting& setting, const std::string& parent,
                         const std::vector<std::string>& there, std::string_view mountinfo) {
  const char* const advice =
      is_bound_to_version_1(mountinfo, setting.controller)
          ? "this machine binds it to cgroup version 1: boot it with the kernel argument "
            "systemd.unified_cgroup_hierarchy=1"
          : "systemd delegates it once root adds it to Delegate= in the [Service] section of "
            "`systemctl edit user@.service`";
  return {.code = EOPNOTSUPP,
          .what = fmt::format("{}: the cgroup {} has no {} controller to give (it has {}); {}",
                              setting.option, parent, setting.controller,
                              there.empty() ? "none" : fmt::format("{}", fmt::join(there, " ")), advice)};
}

bool wants_group(const Limits& limits, bool boot) {
  return boot || limits != Limits{};
}

namespace {

Result<void> write_in(const Fd& folder, const char* file, const std::string& text) {
  const Fd opened(::openat(folder.get(), file, O_WRONLY | O_CLOEXEC));
  if (!opened) return failed_call(file, errno);
  if (::write(opened.get(), text.data(), text.size()) < 0) return failed_call(file, errno);
  return {};
}

std::string read_in(const Fd& folder, const char* file) {
  const Fd opened(::openat(folder.get(), file, O_RDONLY | O_CLOEXEC));
  std::string text(65536, '\0');
  const ssize_t length = opened ? ::read(opened.get(), text.data(), text.size()) : 0;
  text.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return text;
}

Fd open_folder(const Fd& parent, const char* name) {
  return Fd(::openat(parent.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

std::vector<std::string> folders_in(const Fd& folder) {
  std::vector<std::string> names;
  const int copy = ::openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const list = copy >= 0 ? ::fdopendir(copy) : nullptr;
  if (list == nullptr) {
    if (copy >= 0) ::close(copy);
    return names;
  }
  while (const dirent* const entry = ::readdir(list)) {
    const std::string name = entry->d_name;
    if (entry->d_type == DT_DIR && name != "." && name != "..") names.push_back(name);
  }
  ::closedir(list);
  return names;
}

// The depth is bounded by what was written to the topmost.
void remove_groups_in(const Fd& folder, int depth) {  // NOLINT(misc-no-recursion)
  if (!folder || depth > deepest) return;
  for (const std::string& name : folders_in(folder)) {
    remove_groups_in(open_folder(folder, name.c_str()), depth + 1);
    ::unlinkat(folder.get(), name.c_str(), AT_REMOVEDIR);
  }
}

// Groups of containers that did not live to remove them: nobody locks those any more.
void remove_stale_groups(const Fd& parent) {
  for (const std::string& name : folders_in(parent)) {
    if (!name.starts_with(group_prefix) || name == std::string(group_prefix) + callers_name) continue;
    const Fd folder = open_folder(parent, name.c_str());
    if (!folder || ::flock(folder.get(), LOCK_EX | LOCK_NB) != 0) continue;
    remove_groups_in(folder, 0);
    ::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR);
  }
}

// A group that gives controllers to groups below it can have no processes itself: some controllers it could
// give still, and would become a threaded domain by that, which no other process may enter.
void move_processes_to_leaf(const Fd& folder) {
  const std::string leaf = std::string(group_prefix) + callers_name;
  if (::mkdirat(folder.get(), leaf.c_str(), 0755) != 0 && errno != EEXIST) return;
  const Fd target = open_folder(folder, leaf.c_str());
  constexpr int rounds = 10;  // some may be born meanwhile
  for (int round = 0; target && round < rounds; ++round) {
    const auto processes = words_of(read_in(folder, "cgroup.procs"));
    if (processes.empty()) return;
    for (const std::string& process : processes) {
      // One that has ended meanwhile is none.
      if (!write_in(target, "cgroup.procs", process)) continue;
    }
  }
}

// cgroups(7): the one that has no type, and may have both.
bool is_root_group(const Fd& folder) {
  return ::faccessat(folder.get(), "cgroup.type", F_OK, 0) != 0;
}

// What cannot be given on is missing below, and noticed where it is needed.
void give_controllers_on(const Fd& folder) {
  const auto given = words_of(read_in(folder, "cgroup.subtree_control"));
  auto wanted = words_of(read_in(folder, "cgroup.controllers"));
  std::erase_if(wanted, [&](const std::string& controller) { return contains(given, controller); });
  const bool inhabited = !words_of(read_in(folder, "cgroup.procs")).empty();
  if (!wanted.empty() && inhabited && !is_root_group(folder)) move_processes_to_leaf(folder);
  for (const std::string& controller : wanted) {
    if (!write_in(folder, "cgroup.subtree_control", "+" + controller)) continue;
  }
}

Result<void> apply(const Limits& limits, const Fd& folder, const std::string& parent) {
  const auto controllers = words_of(read_in(folder, "cgroup.controllers"));
  for (const GroupSetting& setting : settings_of(limits)) {
    if (!contains(controllers, setting.controller)) {
      if (setting.option.empty()) continue;
      return std::unexpected(missing_controller(setting, parent, controllers, read_machine("mountinfo")));
    }
    const auto written = write_in(folder, setting.file.c_str(), setting.value);
    if (!written && !setting.option.empty()) {
      return fail(written.error().code, "{}: {}", setting.option, written.error().what);
    }
  }
  return {};
}

Result<void> give_to_container(const Fd& folder, const IdMaps& maps) {
  if (maps.writer != IdMaps::Writer::root) return {};
  const uid_t user = outside_of(maps.users, 0).value_or(0);
  const gid_t group = outside_of(maps.groups, 0).value_or(0);
  if (::fchown(folder.get(), user, group) != 0) return failed_call("cgroup", errno);
  for (const char* file : delegated_files) {
    if (::fchownat(folder.get(), file, user, group, 0) != 0) return failed_call(file, errno);
  }
  return {};
}

constexpr const char* advice =
    "start it below a cgroup that is yours, as `systemd-run --user --scope -p Delegate=yes vmfs run ...` "
    "does, or have root make one: `mkdir GROUP; chown USER GROUP "
    "GROUP/cgroup.{procs,subtree_control,threads}; "
    "echo PID >GROUP/cgroup.procs`";

// A group of this name that is surely ours: whoever clears up stale ones may have been faster.
Result<Fd> make_locked(const Fd& parent, const std::string& name, const std::string& path) {
  constexpr int attempts = 100;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    if (::mkdirat(parent.get(), name.c_str(), 0755) != 0 && errno != EEXIST) {
      const int code = errno;
      return fail(code, "the cgroup {} is not ours to divide ({}); {}", path, describe_errno(code), advice);
    }
    Fd folder = open_folder(parent, name.c_str());
    if (!folder || ::flock(folder.get(), LOCK_EX) != 0) continue;
    struct stat opened{};
    struct stat there{};
    if (::fstat(folder.get(), &opened) == 0 && ::fstatat(parent.get(), name.c_str(), &there, 0) == 0 &&
        opened.st_ino == there.st_ino) {
      return folder;
    }
  }
  return fail(EAGAIN, "the cgroup {}/{} vanishes again and again", path, name);
}

}  // namespace

bool can_divide(const std::string& group) {
  const auto writable = [&](const char* file) { return ::access((group + file).c_str(), W_OK) == 0; };
  return writable("") && writable("/cgroup.procs") && writable("/cgroup.subtree_control");
}

Result<Group> Group::make(const Limits& limits, const IdMaps& maps) {
  const auto own = own_group(read_machine("mountinfo"), read_machine("cgroup"));
  if (!own)
    return fail(ENOENT, "this machine shows no cgroup of version 2: `mount -t cgroup2 none DIR` as root");
  const std::string path = group_to_divide(*own);
  if (!can_divide(path)) return fail(EACCES, "the cgroup {} is not ours to divide; {}", path, advice);
  Group group;
  group.parent_ = Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!group.parent_) return failed_call(path, errno);
  remove_stale_groups(group.parent_);
  give_controllers_on(group.parent_);
  group.name_ = group_prefix + std::to_string(::getpid());
  group.folder_ = TRY(make_locked(group.parent_, group.name_, path));
  const auto filled = group.fill(limits, maps, path);
  if (filled) return group;
  group.remove();
  return std::unexpected(filled.error());
}

Result<void> Group::fill(const Limits& limits, const IdMaps& maps, const std::string& path) {
  TRY(apply(limits, folder_, path));
  for (const auto& [file, value] : bounds) TRY(write_in(folder_, file, value));
  give_controllers_on(folder_);
  if (::mkdirat(folder_.get(), guest_name, 0755) != 0) return failed_call("cgroup", errno);
  const Fd guest = open_folder(folder_, guest_name);
  // Where programs inside look for them; what holds is above, out of their reach.
  TRY(apply(limits, guest, path));
  TRY(give_to_container(guest, maps));
  // It counts who has opened it, not who writes to it.
  processes_ = Fd(::openat(guest.get(), "cgroup.procs", O_WRONLY | O_CLOEXEC));
  if (!processes_) return failed_call("cgroup.procs", errno);
  return {};
}

Result<void> enter_group(const Fd& processes) {
  if (::write(processes.get(), "0", 1) != 1) return failed_call("cgroup", errno);
  return {};
}

Result<void> Group::enter() const {
  return processes_ ? enter_group(processes_) : Result<void>{};
}

Fd Group::entrance(pid_t first) const {
  const std::string own = fmt::format("/{}/{}/", name_, guest_name);
  for (const std::string& line : split_words(read_text(fmt::format("/proc/{}/cgroup", first)), '\n')) {
    const std::size_t at = line.find(own);
    if (!line.starts_with("0::/") || at == std::string::npos) continue;
    const std::string below = fmt::format("{}/{}/cgroup.procs", guest_name, line.substr(at + own.size()));
    Fd processes(sys::openat2(folder_.get(), below.c_str(), O_WRONLY, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS));
    if (processes) return processes;
  }
  return Fd(::fcntl(processes_.get(), F_DUPFD_CLOEXEC, 3));
}

void Group::remove() {
  if (!folder_) return;
  remove_groups_in(folder_, 0);
  ::unlinkat(parent_.get(), name_.c_str(), AT_REMOVEDIR);
  folder_.reset();
}

}  // namespace vmfs
