// SPDX-License-Identifier: MIT
#include "fs/guest/assemble.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include "formats/text.h"
#include "fs/fat/fat.h"
#include "fs/guest/device.h"
#include "fs/guest/tree.h"
#include "fs/path.h"

namespace vmfs {
namespace {

constexpr std::uint64_t max_fstab = 1U << 20;

using State = GuestMount::State;
/// The components of an absolute path.
using Components = std::vector<std::string>;

// What an image holds no bytes of, by the type that fstab gives.
constexpr std::array<std::string_view, 30> memory_types = {
    "autofs",   "binfmt_misc", "bpf",        "cgroup",    "cgroup2",    "configfs",  "debugfs", "devpts",
    "devtmpfs", "efivarfs",    "fusectl",    "hugetlbfs", "mqueue",     "none",      "nsfs",    "proc",
    "pstore",   "ramfs",       "rpc_pipefs", "rootfs",    "securityfs", "selinuxfs", "smackfs", "sockfs",
    "sysfs",    "tmpfs",       "tracefs",    "usbfs",     "usbdevfs",   "virtiofs"};
constexpr std::array<std::string_view, 16> network_types = {
    "9p",        "afs",    "beegfs", "ceph", "cifs", "coda", "davfs", "gfs",
    "glusterfs", "lustre", "ncpfs",  "nfs",  "nfs4", "smb3", "smbfs", "sshfs"};
constexpr std::array<std::string_view, 4> union_types = {"aufs", "mhddfs", "overlay", "unionfs"};

template <std::size_t size>
bool any_of(const std::array<std::string_view, size>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

/// Why a line is nothing to look for on a disk; empty where it is.
std::string_view why_ignored(const FstabEntry& entry) {
  const std::string_view options = entry.options;
  if (entry.type == "swap" || entry.directory == "swap") return "swap";
  if (has_mount_option(options, "bind") || has_mount_option(options, "rbind")) return "bind mount";
  if (any_of(memory_types, entry.type)) return "not on a disk";
  if (any_of(network_types, entry.type)) return "network";
  if (any_of(union_types, entry.type)) return "union of other directories";
  if (entry.type.starts_with("fuse")) return "FUSE";
  if (has_mount_option(options, "loop") || has_mount_option(options, "loop=") ||
      (entry.device.starts_with('/') && !entry.device.starts_with("/dev/"))) {
    return "file in a file";
  }
  const bool on_access = has_mount_option(options, "x-systemd.automount") ||
                         has_mount_option(options, "comment=systemd.automount");
  if (has_mount_option(options, "noauto") && !on_access) return "noauto";
  return "";
}

/// Absent for what is no absolute path, or one that goes up again.
std::optional<Components> split(std::string_view path) {
  if (!path.starts_with('/')) return std::nullopt;
  Components components;
  while (!path.empty()) {
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), name.size() + 1));
    if (name == "..") return std::nullopt;
    if (!name.empty() && name != ".") components.emplace_back(name);
  }
  return components;
}

/// Takes nothing but a guest's word for where what lies.
class Assembly {
 public:
  Assembly(const Disk& disk, const Volume& root, const FilesystemOptions& options)
      : disk_(disk), options_(options) {
    guest_.root = &root;
    guest_.tree = root.filesystem;
  }

  Guest build() {
    read_fstab();
    std::vector<std::pair<Components, GuestMount*>> wanted = choose();
    // Of one directory the first line comes first: they lie in one vector.
    std::ranges::sort(wanted);
    if (!wanted.empty()) mount_all(wanted);
    return std::move(guest_);
  }

 private:
  void read_fstab() {
    const auto file = resolve(*guest_.tree, "/etc/fstab");
    if (!file) return;
    const auto text = read_small_file(*guest_.tree, *file, max_fstab);
    if (!text) return options_.warn(fmt::format("/etc/fstab cannot be read: {}", text.error().what));
    for (FstabEntry& entry : parse_fstab(*text, options_.warn)) {
      guest_.mounts.emplace_back().entry = std::move(entry);
    }
  }

  /// What is to be shown, and where.
  std::vector<std::pair<Components, GuestMount*>> choose() {
    std::vector<std::pair<Components, GuestMount*>> wanted;
    std::set<Components> taken;
    const DeviceNames names(disk_, *guest_.root, root_device());
    for (GuestMount& mount : guest_.mounts) {
      mount.volume = names.find(mount.entry.device);
      mount.reason = why_ignored(mount.entry);
      if (!mount.reason.empty()) continue;
      auto path = split(mount.entry.directory);
      if (!path) {
        miss(mount, "not an absolute path");
      } else if (path->empty()) {
        mount.state = State::root;
      } else if (mount.volume == nullptr) {
        miss(mount, fmt::format("no volume that can be read is {}", mount.entry.device));
      } else if (!mount.volume->filesystem) {
        miss(mount, fmt::format("{}: {}", mount.volume->name, mount.volume->error->what));
      } else if (!taken.insert(*path).second) {
        miss(mount, "an earlier line has this directory");
      } else {
        wanted.emplace_back(*std::move(path), &mount);
      }
    }
    return wanted;
  }

  [[nodiscard]] std::string root_device() const {
    const auto is_root = [](const GuestMount& mount) { return mount.entry.directory == "/"; };
    const auto found = std::ranges::find_if(guest_.mounts, is_root);
    return found == guest_.mounts.end() ? "" : found->entry.device;
  }

  void mount_all(const std::vector<std::pair<Components, GuestMount*>>& wanted) {
    const auto tree = std::make_shared<Tree>(guest_.tree);
    bool any = false;
    for (const auto& [path, mount] : wanted) {
      const auto done = mount_one(*tree, *mount);
      if (done) {
        mount->state = State::shown;
        any = true;
      } else {
        miss(*mount, done.error().code == ENOENT ? "there is no such directory" : done.error().what);
      }
    }
    if (any) guest_.tree = tree;
  }

  [[nodiscard]] static Result<void> mount_one(Tree& tree, const GuestMount& mount) {
    const Inode directory = TRY(resolve(tree, mount.entry.directory));
    std::shared_ptr<const Filesystem> filesystem = mount.volume->filesystem;
    // It keeps no owners: fstab says whose the files are.
    if (filesystem->info().type == "vfat")
      filesystem = TRY(open_fat_with(mount.volume->source, mount.entry.options));
    return tree.mount(std::move(filesystem), directory);
  }

  void miss(GuestMount& mount, std::string reason) {
    mount.state = State::missing;
    mount.reason = std::move(reason);
    options_.warn(fmt::format("{} is not shown: {}", mount.entry.directory, mount.reason));
  }

  const Disk& disk_;
  const FilesystemOptions& options_;
  Guest guest_;
};

}  // namespace

Guest assemble_guest(const Disk& disk, const Volume& root, const FilesystemOptions& options) {
  return Assembly(disk, root, options).build();
}

Result<Guest> open_guest(const Disk& disk, const std::string& wanted, const FilesystemOptions& options) {
  const Volume* const volume = TRY(choose_volume(disk, wanted, options.warn));
  if (wanted.empty()) return assemble_guest(disk, *volume, options);
  return Guest{.root = volume, .tree = volume->filesystem, .mounts = {}};
}

}  // namespace vmfs
