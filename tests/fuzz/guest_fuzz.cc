// SPDX-License-Identifier: MIT
// A root tree of the fuzzer's: a line is a file ("f PATH CONTENTS", with ~ for an end of line), a symbolic
// link
// ("l PATH TARGET"), a directory ("d PATH") or a path to follow ("p PATH"). The system on it is looked for,
// and all paths are followed, by every way through it.
#include <cstdint>
#include <cstdlib>

#include "fs/guest/guest.h"
#include "fs/guest/os_release.h"
#include "fs/guest/system.h"
#include "fs/path.h"
#include "tests/unit/fake_filesystem.h"

namespace {

using namespace vmfs;

constexpr std::size_t max_lines = 200;

void check(bool condition) {
  if (!condition) std::abort();
}

std::string_view take(std::string_view& text, char end) {
  const std::size_t length = text.find(end);
  const std::string_view part = text.substr(0, length);
  text.remove_prefix(length == std::string_view::npos ? text.size() : length + 1);
  return part;
}

void add(testing::FakeFilesystem& tree, char kind, std::string_view path, std::string_view rest) {
  std::string text(rest);
  for (char& letter : text) letter = letter == '~' ? '\n' : letter;
  if (kind == 'f') tree.file(path, std::move(text));
  if (kind == 'l') tree.link(path, std::move(text));
  if (kind == 'd') tree.folder(path);
}

void follow(const Filesystem& tree, std::string_view path) {
  const auto inode = resolve(tree, path);
  check(inode || inode.error().code != 0);
  if (inode) check(tree.stat(*inode).has_value());
  if (const auto link = resolve_link(tree, path)) check(tree.stat(*link).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)parse_os_release(text);
  testing::FakeFilesystem tree;
  std::vector<std::string_view> paths{"/etc/os-release", "/etc/fstab", "/etc/../../etc/passwd"};
  for (std::size_t lines = 0; !text.empty() && lines < max_lines; ++lines) {
    std::string_view line = take(text, '\n');
    const std::string_view kind = take(line, ' ');
    const std::string_view path = take(line, ' ');
    if (kind.size() != 1 || path.size() > 4096) continue;
    if (kind[0] == 'p') paths.push_back(path);
    add(tree, kind[0], path, line);
  }
  for (const std::string_view path : paths) follow(tree, path);
  const auto system = find_operating_system(tree);
  check(system || system.error().code != 0);
  if (system && *system) check(!(*system)->id.empty() && !(*system)->pretty_name.contains('\n'));
  const SystemFacts facts = find_system_facts(tree);
  check(!facts.hostname.contains('\n') && facts.kernels.size() <= 64);
  return 0;
}
