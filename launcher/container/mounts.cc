// SPDX-License-Identifier: MIT
#include "launcher/container/mounts.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "launcher/container/process.h"

namespace vmfs {

Result<Fd> new_mount(const std::string& type, const std::vector<MountParameter>& parameters,
                     std::uint64_t attributes) {
  const std::string step = "mount of type " + type;
  const Fd context(::fsopen(type.c_str(), FSOPEN_CLOEXEC));
  if (!context) return failed_call(step, errno);
  for (const auto& [name, value] : parameters) {
    const int status = value.empty()
                           ? ::fsconfig(context.get(), FSCONFIG_SET_FLAG, name.c_str(), nullptr, 0)
                           : ::fsconfig(context.get(), FSCONFIG_SET_STRING, name.c_str(), value.c_str(), 0);
    if (status != 0) return failed_call(fmt::format("{}, {}={}", step, name, value), errno);
  }
  if (::fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0)
    return failed_call(step, errno);
  Fd mount(::fsmount(context.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes)));
  if (!mount) return failed_call(step, errno);
  return mount;
}

Result<Fd> bind_mount(const std::string& path, std::uint64_t attributes) {
  Fd mount(::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | unsigned{AT_RECURSIVE}));
  if (!mount) return failed_call(path, errno);
  mount_attr change{};
  change.attr_set = attributes;
  if (attributes != 0 &&
      ::mount_setattr(mount.get(), "", AT_EMPTY_PATH | AT_RECURSIVE, &change, sizeof change) != 0) {
    return failed_call(path, errno);
  }
  return mount;
}

Result<void> attach(const Fd& mount, const std::string& path) {
  if (::move_mount(mount.get(), "", AT_FDCWD, path.c_str(),
                   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) != 0) {
    return failed_call("mount on " + path, errno);
  }
  return {};
}

Result<void> make_directories(const std::string& path) {
  for (std::size_t end = path.find('/', 1); true; end = path.find('/', end + 1)) {
    const std::string directory = path.substr(0, end);
    if (::mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) return failed_call(directory, errno);
    if (end == std::string::npos) return {};
  }
}

Result<void> attach_directory(const Fd& mount, const std::string& path) {
  TRY(make_directories(path));
  return attach(mount, path);
}

Result<void> attach_file(const Fd& mount, const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash > 0 && slash != std::string::npos) TRY(make_directories(path.substr(0, slash)));
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file && errno != EEXIST) return failed_call(path, errno);
  return attach(mount, path);
}

Result<void> restrict_mount(const std::string& path, std::uint64_t attributes) {
  mount_attr change{};
  change.attr_set = attributes;
  if (::mount_setattr(AT_FDCWD, path.c_str(), 0, &change, sizeof change) != 0)
    return failed_call(path, errno);
  return {};
}

}  // namespace vmfs
