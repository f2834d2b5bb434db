// SPDX-License-Identifier: MIT
#include "launcher/files/copy_attributes.h"

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "formats/text.h"

namespace vmfs {
namespace {

constexpr const char* access_list = "system.posix_acl_access";
constexpr const char* inherited_list = "system.posix_acl_default";
constexpr mode_t special_bits = S_ISUID | S_ISGID | S_ISVTX;

bool is_acl(const std::string& name) {
  return name == access_list || name == inherited_list;
}

// What O_PATH opened is reached through /proc alone; that is no symbolic link that somebody could have put
// there.
std::string proc_path(const CopyTarget& target) {
  return fmt::format("/proc/self/fd/{}", target.fd);
}

int set_xattr(const CopyTarget& target, const char* name, const std::string& value) {
  if (!target.path_only) return ::fsetxattr(target.fd, name, value.data(), value.size(), 0);
  return ::setxattr(proc_path(target).c_str(), name, value.data(), value.size(), 0);
}

// What a copy inherited from the directory that it was made in, and its original does not have.
void remove_acl(const CopyTarget& target, const char* name) {
  if (!target.path_only) (void)::fremovexattr(target.fd, name);
}

}  // namespace

Result<void> AttributeCopier::copy(const Attributes& attributes, const CopyTarget& target) {
  const bool owned = copy_owner(attributes, target);
  if (with_xattrs_) TRY(copy_xattrs(attributes, target));
  if (!S_ISLNK(attributes.mode)) {
    copy_mode(owned ? attributes.mode : attributes.mode & ~special_bits, target);
    TRY(copy_acls(attributes, target));
  }
  copy_times(attributes, target);
  return {};
}

bool AttributeCopier::copy_owner(const Attributes& attributes, const CopyTarget& target) {
  const auto change = [&](uid_t uid, gid_t gid) {
    return ::fchownat(target.fd, "", uid, gid, AT_EMPTY_PATH);
  };
  if (change(attributes.uid, attributes.gid) == 0) return true;
  ++lost_owners_;
  // A group of our own we may still give.
  (void)change(static_cast<uid_t>(-1), attributes.gid);
  return false;
}

Result<void> AttributeCopier::copy_xattrs(const Attributes& attributes, const CopyTarget& target) {
  const auto names = TRY(filesystem_.xattr_names(attributes.inode));
  for (const std::string& name : names) {
    if (is_acl(name)) continue;
    const std::string value = TRY(filesystem_.xattr(attributes.inode, name));
    if (set_xattr(target, name.c_str(), value) != 0) ++lost_xattrs_[name];
  }
  return {};
}

void AttributeCopier::copy_mode(mode_t mode, const CopyTarget& target) {
  const mode_t bits = mode & 07777U;
  const int done = target.path_only ? ::chmod(proc_path(target).c_str(), bits) : ::fchmod(target.fd, bits);
  if (done != 0) ++lost_modes_;
}

Result<void> AttributeCopier::copy_acls(const Attributes& attributes, const CopyTarget& target) {
  for (const char* name : {access_list, inherited_list}) {
    const auto value = filesystem_.xattr(attributes.inode, name);
    if (value) {
      if (set_xattr(target, name, *value) != 0) ++lost_xattrs_[name];
    } else if (value.error().code == ENODATA || value.error().code == EOPNOTSUPP) {
      remove_acl(target, name);
    } else {
      return std::unexpected(value.error());
    }
  }
  return {};
}

void AttributeCopier::copy_times(const Attributes& attributes, const CopyTarget& target) {
  const timespec times[2] = {attributes.accessed, attributes.modified};
  const int done = ::utimensat(target.fd, "", times, AT_EMPTY_PATH);
  if (done != 0) ++lost_times_;
}

std::vector<std::string> AttributeCopier::losses() const {
  std::vector<std::string> lines;
  const auto add = [&](std::string_view what, std::uint64_t files, std::string_view why) {
    if (files != 0) lines.push_back(fmt::format("not kept: {} of {} files{}", what, files, why));
  };
  add("owner and group", lost_owners_, " (only root may give files away)");
  add("mode", lost_modes_, "");
  add("times", lost_times_, "");
  constexpr std::size_t most = 20;
  for (const auto& [name, files] : lost_xattrs_) {
    if (lines.size() == most) {
      lines.emplace_back("not kept: further extended attributes");
      break;
    }
    add(printable(name), files, "");
  }
  return lines;
}

}  // namespace vmfs
