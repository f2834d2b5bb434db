// SPDX-License-Identifier: MIT
#include "launcher/container/scope.h"

#include <climits>
#include <cstdlib>
#include <string>
#include <vector>

#include <sys/xattr.h>
#include <unistd.h>

#include "launcher/container/cgroup.h"
#include "launcher/container/process.h"
#include "launcher/container/words.h"

namespace vmfs {
namespace {

constexpr const char* marker = "VMFS_IN_SCOPE";  // in the environment: once is enough

bool is_delegated(const std::string& group) {
  return ::getxattr(group.c_str(), "user.delegate", nullptr, 0) > 0 ||
         ::getxattr(group.c_str(), "trusted.delegate", nullptr, 0) > 0;
}

// Root can write everywhere, but what systemd has not delegated it puts in order again.
bool needs_scope() {
  const auto own = own_group(read_text("/proc/self/mountinfo"), read_text("/proc/self/cgroup"));
  if (!own) return false;
  const std::string group = group_to_divide(*own);
  if (!can_divide(group)) return true;
  return ::geteuid() == 0 && ::access("/run/systemd/system", F_OK) == 0 && !is_delegated(group);
}

std::vector<std::string> words_of_this_program() {
  std::string path(PATH_MAX, '\0');
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  path.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  auto words = split_words(read_text("/proc/self/cmdline"), '\0');
  if (!words.empty()) words.pop_back();  // behind the last zero
  if (!words.empty()) words.front() = path;
  return words;
}

}  // namespace

void move_to_scope() {
  if (std::getenv(marker) != nullptr || !needs_scope() || !is_installed("systemd-run")) return;
  ::setenv(marker, "1", 1);
  std::vector<std::string> words = {"systemd-run", "--scope", "--quiet", "--property=Delegate=yes"};
  if (::geteuid() != 0) words.emplace_back("--user");
  words.emplace_back("--");
  // Whether it would: once we are that program, its words would be all that the caller sees.
  auto trial = words;
  trial.emplace_back("true");
  if (const auto finished = run_program(trial); !finished || finished->status != 0) return;
  const auto ours = words_of_this_program();
  if (ours.empty() || ours.front().empty()) return;
  words.insert(words.end(), ours.begin(), ours.end());
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execvp(arguments.front(), arguments.data());
}

}  // namespace vmfs
