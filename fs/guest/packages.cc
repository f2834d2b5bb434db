// SPDX-License-Identifier: MIT
#include "fs/guest/packages.h"

#include <algorithm>

#include <dirent.h>
#include <sys/stat.h>

#include "fs/guest/sqlite_rows.h"
#include "fs/path.h"

namespace vmfs {
namespace {

constexpr std::uint64_t max_database = std::uint64_t{64} << 20;

bool exists(const Filesystem& tree, std::string_view path) {
  return resolve(tree, path).has_value();
}

Result<std::string> read_text(const Filesystem& tree, std::string_view path) {
  return read_small_file(tree, TRY(resolve(tree, path)), max_database);
}

/// Calls `visit` with each line.
void for_each_line(std::string_view text, const auto& visit) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    visit(line);
  }
}

/// Directories in a directory.
std::optional<std::uint64_t> count_directories(const Filesystem& tree, std::string_view path) {
  const auto directory = resolve(tree, path);
  if (!directory) return std::nullopt;
  std::uint64_t count = 0;
  const auto listed = tree.list(*directory, 0, [&](const DirectoryEntry& entry) {
    if (entry.name == "." || entry.name == "..") return true;
    const auto found = tree.stat(entry.inode);
    if (found && S_ISDIR(found->mode)) ++count;
    return true;
  });
  return listed ? std::optional(count) : std::nullopt;
}

void find_dpkg(const Filesystem& tree, std::vector<Packages>& found) {
  constexpr std::string_view status = "/var/lib/dpkg/status";
  if (!exists(tree, status)) return;
  Packages packages{.manager = "dpkg", .count = {}, .database = {}};
  if (const auto text = read_text(tree, status)) {
    // "Status: WANT ERROR STATE"
    packages.count = 0;
    for_each_line(*text, [&](std::string_view line) {
      if (line.starts_with("Status: ") && line.ends_with(" installed")) ++*packages.count;
    });
  }
  found.push_back(std::move(packages));
}

void find_apk(const Filesystem& tree, std::vector<Packages>& found) {
  for (const std::string_view path : {"/lib/apk/db/installed", "/usr/lib/apk/db/installed"}) {
    if (!exists(tree, path)) continue;
    Packages packages{.manager = "apk", .count = {}, .database = {}};
    if (const auto text = read_text(tree, path)) {
      packages.count = 0;
      for_each_line(*text, [&](std::string_view line) {
        if (line.starts_with("P:")) ++*packages.count;
      });
    }
    found.push_back(std::move(packages));
    return;
  }
}

void find_rpm(const Filesystem& tree, std::vector<Packages>& found) {
  for (const std::string path : {"/usr/lib/sysimage/rpm/", "/usr/share/rpm/", "/var/lib/rpm/"}) {
    if (const auto inode = resolve(tree, path + "rpmdb.sqlite")) {
      Packages packages{.manager = "rpm", .count = {}, .database = "sqlite"};
      if (const auto file = tree.open(*inode)) {
        if (const auto rows = count_sqlite_rows(**file, "Packages")) packages.count = *rows;
      }
      found.push_back(std::move(packages));
      return;
    }
    const bool is_ndb = exists(tree, path + "Packages.db");
    if (!is_ndb && !exists(tree, path + "Packages")) continue;
    found.push_back({.manager = "rpm", .count = {}, .database = is_ndb ? "ndb" : "bdb"});
    return;
  }
}

void find_pacman(const Filesystem& tree, std::vector<Packages>& found) {
  constexpr std::string_view local = "/var/lib/pacman/local";
  if (!exists(tree, local)) return;
  found.push_back({.manager = "pacman", .count = count_directories(tree, local), .database = {}});
}

}  // namespace

std::vector<Packages> find_packages(const Filesystem& tree) {
  std::vector<Packages> found;
  find_dpkg(tree, found);
  find_rpm(tree, found);
  find_apk(tree, found);
  find_pacman(tree, found);
  return found;
}

}  // namespace vmfs
