// SPDX-License-Identifier: MIT
#include "launcher/container/rootfs.h"

#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "launcher/container/mounts.h"
#include "launcher/container/process.h"
#include "launcher/container/syscalls.h"

namespace vmfs {
namespace {

// Any directory that every machine has would do; nothing in it is changed, a mount in our own namespace hides
// it.
constexpr const char* base = "/tmp";

std::string in_base(const std::string& name) {
  return std::string(base) + "/" + name;
}

Result<void> make_directory(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return failed_call(path, errno);
  return {};
}

// What is changed on the root directory itself shows on the root of the upper layer.
Result<void> make_layers(const Ownership& root, const IdMaps& maps) {
  const std::string upper = in_base("changes/upper");
  const bool fresh = ::access(upper.c_str(), F_OK) != 0;
  TRY(make_directory(upper, 0755));
  TRY(make_directory(in_base("changes/work"), 0700));
  if (!fresh) return {};
  if (outside_of(maps.users, root.uid) && outside_of(maps.groups, root.gid) &&
      ::chown(upper.c_str(), root.uid, root.gid) != 0) {
    return failed_call(upper, errno);
  }
  if (::chmod(upper.c_str(), root.mode) != 0) return failed_call(upper, errno);
  return {};
}

Result<void> mount_image(const Fd& fuse, const MountOptions& options) {
  const auto image = new_mount("fuse",
                               {{"source", "image"},
                                {"subtype", "vmfs"},
                                {"fd", std::to_string(fuse.get())},
                                {"rootmode", "40000"},
                                {"user_id", "0"},
                                {"group_id", "0"},
                                {"allow_other", ""},
                                {"default_permissions", ""},
                                {"max_read", std::to_string(options.max_read)},
                                {"ro", ""}},
                               MOUNT_ATTR_RDONLY);
  if (!image) return std::unexpected(image.error());
  return attach(*image, in_base("image"));
}

OverlayLayers layers_over(const std::string& lower) {
  return {.lower = in_base(lower), .upper = in_base("changes/upper"), .work = in_base("changes/work")};
}

constexpr const char* kernel_wants =
    "the kernel has it for users since Linux 5.11, on file systems such as ext4, xfs, btrfs and tmpfs";

Result<void> mount_overlay() {
  const OverlayLayers layers = layers_over("image");
  const std::string options =
      fmt::format("lowerdir={},upperdir={},workdir={},userxattr", layers.lower, layers.upper, layers.work);
  if (::mount("overlay", in_base("root").c_str(), "overlay", 0, options.c_str()) != 0) {
    const int code = errno;
    return fail(code, "overlayfs: {}; {}", describe_errno(code), kernel_wants);
  }
  return {};
}

Result<void> mount_root(const FuseOverlay& overlay) {
  if (!overlay.mount) return mount_overlay();
  TRY(attach(overlay.mount, in_base("root")));
  return await_fuse_overlay(overlay, in_base("root"));
}

// The directory that is mounted on `directory` becomes the root; the old one is gone with all that is in it.
Result<void> change_root(const std::string& directory) {
  if (::chdir(directory.c_str()) != 0) return failed_call(directory, errno);
  if (sys::pivot_root(".", ".") != 0) return failed_call("pivot_root", errno);
  if (::umount2(".", MNT_DETACH) != 0) return failed_call("detaching the machine's root", errno);
  if (::chdir("/") != 0) return failed_call("/", errno);
  return {};
}

}  // namespace

MountOptions image_mount_options(const IdMaps& maps) {
  MountOptions options;
  options.allow_other = true;
  options.default_permissions = true;
  if (is_alone(maps)) {
    options.uid = 0;
    options.gid = 0;
  }
  return options;
}

Result<void> build_base(const Plan& plan, const Ownership& root, const Fd& fuse, const IdMaps& maps) {
  if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return failed_call("cutting the mount namespace off the machine's", errno);
  Fd changes;
  if (!plan.overlay.empty()) changes = TRY(bind_mount(plan.overlay, 0));
  const Fd memory = TRY(new_mount("tmpfs", {{"mode", "0755"}}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV));
  TRY(attach(memory, base));
  for (const char* name : {"image", "changes", "root"}) TRY(make_directory(in_base(name), 0755));
  if (changes) TRY(attach(changes, in_base("changes")));
  TRY(make_layers(root, maps));
  return mount_image(fuse, image_mount_options(maps));
}

Result<FuseOverlay> choose_overlay(const Plan& plan, const Warn& warn) {
  const auto kernel = plan.overlay.empty() ? probe_overlayfs(in_base("root"), in_base("changes"))
                                           : probe_overlayfs(layers_over("root"));
  if (kernel) return FuseOverlay();
  const std::string subject = plan.overlay.empty() ? "changes in memory" : "--overlay " + plan.overlay;
  std::vector<std::string> writable = {base};
  if (!plan.overlay.empty()) writable.push_back(in_base("changes"));
  auto overlay = start_fuse_overlay(layers_over("image"), writable);
  if (!overlay) {
    return fail(overlay.error().code, "{}: {}, and {}: install it (Debian: fuse-overlayfs); {}", subject,
                kernel.error().what, overlay.error().what, kernel_wants);
  }
  warn(fmt::format("{}: {}: fuse-overlayfs does it, which is slower", subject, kernel.error().what));
  return overlay;
}

Result<void> leave_machine() {
  TRY(change_root(base));
  return restrict_mount("/", MOUNT_ATTR_RDONLY);
}

bool was_changed(const std::string& path) {
  struct stat status{};
  return ::lstat((in_base("changes/upper") + path).c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

Result<void> enter_root(const Plan& plan, const IdMaps& maps, const SystemNeeds& needs,
                        const FuseOverlay& overlay) {
  TRY(mount_root(overlay));
  const auto system = TRY(make_system_mounts(maps, needs));
  TRY(change_root(in_base("root")));
  return attach_system_mounts(system, plan.privileges.masks);
}

Result<void> finish_root(const Plan& plan) {
  return plan.read_only ? restrict_mount("/", MOUNT_ATTR_RDONLY) : Result<void>{};
}

}  // namespace vmfs
