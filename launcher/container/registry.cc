// SPDX-License-Identifier: MIT
#include "launcher/container/registry.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <random>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/container/names.h"
#include "launcher/container/process.h"
#include "launcher/container/runtime_folder.h"

namespace vmfs {
namespace {

constexpr const char* state_file = "state.json";
constexpr const char* new_state_file = "state.json.new";
constexpr const char* lock_file = "lock";
constexpr const char* all_files[] = {state_file, new_state_file, lock_file, "control", "log", "log.1"};
constexpr std::size_t largest_state = std::size_t{16} << 20;
constexpr int most_tries = 100;

Result<std::string> read_all(const Fd& file) {
  std::string text;
  char buffer[16384];
  while (text.size() < largest_state) {
    const ssize_t length = ::read(file.get(), buffer, sizeof buffer);
    if (length == 0) return text;
    if (length < 0 && errno != EINTR) return failed_call("read", errno);
    if (length > 0) text.append(buffer, static_cast<std::size_t>(length));
  }
  return fail(EFBIG, "too large");
}

Result<void> write_all(const Fd& file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t length = ::write(file.get(), text.data(), text.size());
    if (length < 0 && errno != EINTR) return failed_call("write", errno);
    if (length > 0) text.remove_prefix(static_cast<std::size_t>(length));
  }
  return {};
}

std::uint32_t random_number() {
  return std::random_device()();
}

}  // namespace

Result<void> ContainerFolder::write(const ContainerState& state) const {
  const Fd file(
      ::openat(folder_.get(), new_state_file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return failed_call(path_, errno);
  if (const auto written = write_all(file, to_text(state)); !written) {
    return fail(written.error().code, "{}: {}", path_, written.error().what);
  }
  if (::renameat(folder_.get(), new_state_file, folder_.get(), state_file) != 0)
    return failed_call(path_, errno);
  return {};
}

Result<ContainerState> ContainerFolder::read() const {
  const Fd file(::openat(folder_.get(), state_file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return failed_call(path_, errno);
  const auto text = read_all(file);
  auto state = text ? parse_state(*text) : std::unexpected(text.error());
  if (!state) return fail(state.error().code, "{}/{}: {}", path_, state_file, state.error().what);
  return state;
}

bool ContainerFolder::is_locked() const {
  // A lock of this descriptor's own file description, which goes when it is closed.
  const Fd file(::openat(folder_.get(), lock_file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  return file && ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

Result<Registry> Registry::open() {
  Registry registry;
  registry.path_ = TRY(runtime_folder());
  registry.folder_ = Fd(::open(registry.path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!registry.folder_) return failed_call(registry.path_, errno);
  return registry;
}

// Nobody else makes, looks for or removes containers meanwhile.
Result<Fd> Registry::lock() const {
  Fd again(::openat(folder_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!again) return failed_call(path_, errno);
  while (::flock(again.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return failed_call(path_, errno);
  }
  return again;
}

Result<ContainerFolder> Registry::make(const ContainerState& state) const {
  ContainerFolder made;
  made.path_ = path_ + "/" + state.name;
  if (::mkdirat(folder_.get(), state.name.c_str(), 0700) != 0) return failed_call(made.path_, errno);
  made.folder_ =
      Fd(::openat(folder_.get(), state.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!made.folder_) return failed_call(made.path_, errno);
  made.lock_ = Fd(::openat(made.folder_.get(), lock_file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!made.lock_ || ::flock(made.lock_.get(), LOCK_EX | LOCK_NB) != 0) return failed_call(made.path_, errno);
  TRY(made.write(state));
  return made;
}

Result<ContainerFolder> Registry::create(ContainerState& state) const {
  const Fd lock = TRY(this->lock());
  const bool named = !state.name.empty();
  for (int i = 0; i < most_tries; ++i) {
    if (!named) state.name = make_container_name(state.image, random_number());
    if (is_there(state.name)) {
      if (!named) continue;
      return fail(
          EEXIST,
          "--name {}: there is a container of this name; `vmfs ps -a` shows it, `vmfs rm {}` removes one "
          "that has ended",
          state.name, state.name);
    }
    return make(state);
  }
  return fail(EEXIST, "no name is left in {}; `vmfs ps -a` shows what is there", path_);
}

Result<ContainerFolder> Registry::open_folder(const std::string& name) const {
  ContainerFolder found;
  found.path_ = path_ + "/" + name;
  found.folder_ = Fd(::openat(folder_.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!found.folder_) return failed_call(found.path_, errno);
  return found;
}

// Call it while all is locked. What a killed container left goes now.
bool Registry::is_there(const std::string& name) const {
  const auto found = open_folder(name);
  if (!found) return false;
  if (found->is_locked()) return true;
  const auto state = found->read();
  if (state && state->status == ContainerState::Status::exited) return true;
  remove_files(name);
  return false;
}

Result<ContainerFolder> Registry::find(const std::string& name) const {
  const Fd lock = TRY(this->lock());
  if (!is_container_name(name) || !is_there(name)) {
    return fail(ENOENT, "{}: no container of this name; `vmfs ps -a` shows those there are", name);
  }
  return open_folder(name);
}

Result<std::vector<std::string>> Registry::list() const {
  const Fd lock = TRY(this->lock());
  std::vector<std::string> names;
  std::error_code failed;
  for (std::filesystem::directory_iterator entry(path_, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    std::string name = entry->path().filename().string();
    if (is_container_name(name) && is_there(name)) names.push_back(std::move(name));
  }
  if (failed) return failed_call(path_, failed.value());
  std::ranges::sort(names);
  return names;
}

Result<void> Registry::remove(const std::string& name) const {
  const Fd lock = TRY(this->lock());
  remove_files(name);
  return {};
}

void Registry::remove_files(const std::string& name) const {
  const auto found = open_folder(name);
  if (!found) return;
  for (const char* file : all_files) ::unlinkat(found->folder_.get(), file, 0);
  ::unlinkat(folder_.get(), name.c_str(), AT_REMOVEDIR);
}

}  // namespace vmfs
