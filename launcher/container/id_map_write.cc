// SPDX-License-Identifier: MIT
#include <cerrno>
#include <cstdio>

#include <unistd.h>

#include "launcher/container/id_map.h"
#include "launcher/container/passwd.h"
#include "launcher/container/process.h"

namespace vmfs {
namespace {

// Users of a directory service: getent(1) asks for them, as the modules of the C library that do so cannot be
// in a static program.
std::string name_from_services(uid_t uid) {
  std::FILE* const answer = ::popen(fmt::format("getent passwd {} 2>/dev/null", uid).c_str(), "re");
  if (answer == nullptr) return "";
  std::string line(4096, '\0');
  line.resize(std::fread(line.data(), 1, line.size(), answer));
  ::pclose(answer);
  return line.substr(0, line.find(':'));
}

std::string name_of(uid_t uid) {
  const auto user = find_user(std::to_string(uid), read_text("/etc/passwd"), "");
  return user && !user->name.empty() ? user->name : name_from_services(uid);
}

Result<Running> start_helper(const std::string& helper, pid_t process, const IdMap& map) {
  std::vector<std::string> words = {helper, std::to_string(process)};
  for (const IdRange& range : map) {
    words.push_back(std::to_string(range.inside));
    words.push_back(std::to_string(range.outside));
    words.push_back(std::to_string(range.count));
  }
  return start_program(words);
}

Result<void> await_helper(const std::string& helper, const Result<Running>& running) {
  if (!running) return std::unexpected(running.error());
  const Finished finished = await_program(*running);
  if (finished.status == 0) return {};
  return fail(EPERM,
              "user namespace: {} (it must be setuid root or have the capability, and /etc/subuid and "
              "/etc/subgid must give the ranges)",
              finished.message.empty() ? helper + " failed" : finished.message);
}

Result<void> write_directly(const IdMaps& maps, const std::string& folder) {
  for (const auto& [file, map] : {std::pair{"/uid_map", &maps.users}, std::pair{"/gid_map", &maps.groups}}) {
    if (const auto written = write_text(folder + file, to_text(*map)); !written) {
      return fail(written.error().code, "user namespace: {}{}", written.error().what,
                  maps.writer == IdMaps::Writer::root
                      ? "; the ids of root come from its lines in /etc/subuid and /etc/subgid, if it has any"
                      : "; see kernel.apparmor_restrict_unprivileged_userns, which forbids it on Ubuntu");
    }
  }
  return {};
}

}  // namespace

IdFacts gather_id_facts() {
  return {.uid = ::geteuid(),
          .gid = ::getegid(),
          .user_name = name_of(::geteuid()),
          .subuid = read_text("/etc/subuid"),
          .subgid = read_text("/etc/subgid"),
          .uid_map = read_text("/proc/self/uid_map"),
          .gid_map = read_text("/proc/self/gid_map"),
          .setgroups = read_text("/proc/self/setgroups"),
          .helpers = is_installed("newuidmap") && is_installed("newgidmap")};
}

Result<void> write_id_maps(const IdMaps& maps, pid_t process) {
  const std::string folder = "/proc/" + std::to_string(process);
  if (maps.writer == IdMaps::Writer::helper) {
    const auto users = start_helper("newuidmap", process, maps.users);
    const auto groups = start_helper("newgidmap", process, maps.groups);
    const auto users_written = await_helper("newuidmap", users);
    const auto groups_written = await_helper("newgidmap", groups);
    return users_written ? groups_written : users_written;
  }
  // Without CAP_SETGID the kernel takes a map of groups only from who gives up setgroups(2).
  if (maps.writer == IdMaps::Writer::self) TRY(write_text(folder + "/setgroups", "deny"));
  return write_directly(maps, folder);
}

}  // namespace vmfs
