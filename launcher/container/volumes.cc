// SPDX-License-Identifier: MIT
#include "launcher/container/volumes.h"

#include <algorithm>
#include <cerrno>
#include <map>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "launcher/container/mounts.h"
#include "launcher/container/process.h"

namespace vmfs {
namespace {

constexpr const char* usual_mode = "1777";

bool is_directory(const Fd& mount) {
  struct stat status{};
  return ::fstat(mount.get(), &status) == 0 && S_ISDIR(status.st_mode);
}

Result<Fd> make_memory(const MemoryFolder& volume) {
  auto parameters = volume.parameters;
  const bool has_mode =
      std::ranges::any_of(parameters, [](const auto& each) { return each.first == "mode"; });
  if (!has_mode) parameters.emplace_back("mode", usual_mode);
  auto mount = new_mount("tmpfs", parameters, volume.attributes);
  if (!mount) return fail(mount.error().code, "--tmpfs {}: {}", volume.destination, mount.error().what);
  return mount;
}

}  // namespace

Result<std::vector<Fd>> open_volumes(const Plan& plan) {
  std::vector<Fd> mounts;
  for (const SharedPath& volume : plan.volumes) {
    const std::uint64_t read_only = volume.read_only ? MOUNT_ATTR_RDONLY : 0;
    auto mount = bind_mount(volume.source, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | read_only);
    if (!mount) return fail(mount.error().code, "-v {}", mount.error().what);
    mounts.push_back(*std::move(mount));
  }
  return mounts;
}

void map_owners(const Plan& plan, const std::vector<Fd>& volumes, pid_t server, const Warn& warn) {
  const Fd ids(::open(fmt::format("/proc/{}/ns/user", server).c_str(), O_RDONLY | O_CLOEXEC));
  for (std::size_t i = 0; i < volumes.size(); ++i) {
    mount_attr change{};
    change.attr_set = MOUNT_ATTR_IDMAP;
    change.userns_fd = static_cast<unsigned>(ids.get());
    if (::mount_setattr(volumes[i].get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &change, sizeof change) != 0) {
      const int code = errno;
      warn(fmt::format("-v {}: its file system cannot map owners ({}): they show as nobody",
                       plan.volumes[i].source, describe_errno(code)));
    }
  }
}

Result<void> attach_volumes(const Plan& plan, const std::vector<Fd>& volumes) {
  std::vector<Fd> memory;
  memory.reserve(plan.memory_folders.size());
  for (const MemoryFolder& folder : plan.memory_folders) memory.push_back(TRY(make_memory(folder)));
  // What is mounted deeper has to come later, or it would be covered.
  std::map<std::pair<std::ptrdiff_t, std::string>, const Fd*> all;
  const auto add = [&](const std::string& path, const Fd& mount) {
    all[{std::ranges::count(path, '/'), path}] = &mount;
  };
  for (std::size_t i = 0; i < memory.size(); ++i) add(plan.memory_folders[i].destination, memory[i]);
  for (std::size_t i = 0; i < volumes.size(); ++i) add(plan.volumes[i].destination, volumes[i]);
  for (const auto& [place, mount] : all) {
    const std::string& path = place.second;
    TRY(is_directory(*mount) ? attach_directory(*mount, path) : attach_file(*mount, path));
  }
  return {};
}

}  // namespace vmfs
