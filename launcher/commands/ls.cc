// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <unordered_set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/text.h"
#include "fs/path.h"
#include "launcher/commands/commands.h"
#include "launcher/files/acl.h"
#include "launcher/files/directory.h"
#include "launcher/files/file_json.h"
#include "launcher/files/guest_tree.h"
#include "launcher/files/ls_format.h"
#include "launcher/files/report.h"

namespace vmfs {
namespace {

using nlohmann::json;

struct LsCommand {
  ImageOptions image;
  std::vector<std::string> paths;
  LsStyle style;
  bool all = false;
  bool almost_all = false;
  bool recursive = false;
  bool directories_themselves = false;
  bool one_per_line = false;
  bool by_time = false;
  bool by_size = false;
  bool reverse = false;
  bool as_json = false;
};

bool has_acl(const Filesystem& filesystem, Inode inode, std::string_view name, std::size_t least) {
  const auto value = filesystem.xattr(inode, name);
  if (!value) return false;
  const auto entries = parse_acl(*value);
  return entries && entries->size() >= least;
}

// '+' for an access control list that says more than the mode, '.' for a security context alone.
char find_marker(const Filesystem& filesystem, const Attributes& attributes) {
  const auto names = filesystem.xattr_names(attributes.inode);
  if (!names || names->empty()) return ' ';
  const auto has = [&](std::string_view name) { return std::ranges::find(*names, name) != names->end(); };
  constexpr std::string_view access = "system.posix_acl_access";
  constexpr std::string_view inherited = "system.posix_acl_default";
  constexpr std::size_t entries_of_mode = 3;
  if (has(access) && has_acl(filesystem, attributes.inode, access, entries_of_mode + 1)) return '+';
  if (has(inherited) && has_acl(filesystem, attributes.inode, inherited, 1)) return '+';
  return has("security.selinux") ? '.' : ' ';
}

class Ls {
 public:
  Ls(const LsCommand& command, const Filesystem& filesystem)
      : command_(command), filesystem_(filesystem), accounts_(Accounts::read(filesystem)) {}

  int run() {
    std::vector<LsEntry> files;
    std::vector<LsEntry> directories;
    for (const std::string& path : command_.paths) add_argument(path, files, directories);
    sort(files);
    sort(directories);
    if (!files.empty()) show_files(files, directories);
    with_headings_ = command_.recursive || command_.paths.size() > 1;
    for (const LsEntry& directory : directories) {
      entered_.clear();
      show_directory(directory.name, directory.attributes.inode, 0);
    }
    if (command_.as_json) {
      fmt::print("{}\n", to_text(listings_));
    }
    return report_.finish();
  }

 private:
  static constexpr std::size_t max_depth = 4096;

  void add_argument(const std::string& path, std::vector<LsEntry>& files, std::vector<LsEntry>& directories) {
    const auto found = find_argument(path);
    if (!found) return report_.error("cannot access", path, found.error());
    LsEntry entry = make_entry(path, *found);
    const bool list = S_ISDIR(found->mode) && !command_.directories_themselves;
    (list ? directories : files).push_back(std::move(entry));
  }

  // As ls: a link to a directory is the directory, unless the link itself is what is asked for.
  [[nodiscard]] Result<Attributes> find_argument(const std::string& path) const {
    const Inode inode = TRY(resolve_link(filesystem_, path));
    const Attributes attributes = TRY(filesystem_.stat(inode));
    if (!S_ISLNK(attributes.mode) || command_.style.long_format || command_.directories_themselves) {
      return attributes;
    }
    const auto target = resolve(filesystem_, path);
    if (!target) return attributes;
    const auto behind = filesystem_.stat(*target);
    return behind && S_ISDIR(behind->mode) ? *behind : attributes;
  }

  [[nodiscard]] LsEntry make_entry(std::string name, const Attributes& attributes) {
    LsEntry entry{.name = std::move(name), .attributes = attributes, .target = {}};
    if (!command_.style.long_format || command_.as_json) return entry;
    entry.marker = find_marker(filesystem_, attributes);
    if (S_ISLNK(attributes.mode)) {
      auto target = filesystem_.readlink(attributes.inode);
      if (target) {
        entry.target = *std::move(target);
      } else {
        report_.error("cannot read symbolic link", entry.name, target.error());
      }
    }
    return entry;
  }

  void sort(std::vector<LsEntry>& entries) const {
    const auto by_name = [](const LsEntry& a, const LsEntry& b) { return a.name < b.name; };
    const auto later = [&](const LsEntry& a, const LsEntry& b) {
      const timespec& x = a.attributes.modified;
      const timespec& y = b.attributes.modified;
      if (x.tv_sec != y.tv_sec) return x.tv_sec > y.tv_sec;
      return x.tv_nsec != y.tv_nsec ? x.tv_nsec > y.tv_nsec : by_name(a, b);
    };
    const auto larger = [&](const LsEntry& a, const LsEntry& b) {
      return a.attributes.size != b.attributes.size ? a.attributes.size > b.attributes.size : by_name(a, b);
    };
    if (command_.by_size) {
      std::ranges::sort(entries, larger);
    } else if (command_.by_time) {
      std::ranges::sort(entries, later);
    } else {
      std::ranges::sort(entries, by_name);
    }
    if (command_.reverse) std::ranges::reverse(entries);
  }

  void show_files(const std::vector<LsEntry>& files, const std::vector<LsEntry>& directories) {
    if (command_.as_json) return add_json({}, files);
    fmt::print("{}", format_listing(files, command_.style, accounts_, directories));
    first_ = false;
  }

  void show_directory(const std::string& path, Inode inode, std::size_t depth) {
    if (command_.recursive && !entered_.insert(inode).second) {
      return report_.error("not listing", path, {EUCLEAN, "this directory is in the tree more than once"});
    }
    if (depth > max_depth) {
      return report_.error("not listing", path,
                           {ENAMETOOLONG, fmt::format("deeper than {} levels", max_depth)});
    }
    std::vector<LsEntry> entries = read_entries(path, inode);
    sort(entries);
    if (command_.as_json) {
      add_json(path, entries);
    } else {
      print_directory(path, entries);
    }
    if (!command_.recursive) return;
    for (const LsEntry& entry : entries) {
      if (!S_ISDIR(entry.attributes.mode) || entry.name == "." || entry.name == "..") continue;
      show_directory(join_path(path, entry.name), entry.attributes.inode, depth + 1);
    }
  }

  [[nodiscard]] std::vector<LsEntry> read_entries(const std::string& path, Inode inode) {
    std::vector<Child> children;
    const auto odd = [&](const std::string& name) {
      report_.error("not listing", join_path(path, name), {EUCLEAN, "a name that no file can have"});
    };
    const auto listed = read_directory(filesystem_, inode, children, odd);
    if (!listed) report_.error("reading directory", path, listed.error());
    if (command_.all) {
      children.push_back({.name = ".", .inode = inode});
      const auto parent = filesystem_.lookup(inode, "..");
      if (parent) children.push_back({.name = "..", .inode = *parent});
    }
    std::vector<LsEntry> entries;
    for (Child& child : children) {
      if (child.name.front() == '.' && !command_.all && !command_.almost_all) continue;
      const auto attributes = filesystem_.stat(child.inode);
      if (attributes) {
        entries.push_back(make_entry(std::move(child.name), *attributes));
      } else {
        report_.error("cannot access", join_path(path, child.name), attributes.error());
      }
    }
    return entries;
  }

  void print_directory(const std::string& path, const std::vector<LsEntry>& entries) {
    if (!first_) fmt::print("\n");
    first_ = false;
    if (with_headings_) fmt::print("{}:\n", command_.style.printable_only ? printable(path) : path);
    if (command_.style.long_format) fmt::print("{}", format_total(entries, command_.style));
    fmt::print("{}", format_listing(entries, command_.style, accounts_));
  }

  void add_json(const std::string& path, const std::vector<LsEntry>& entries) {
    json listing = json::object();
    if (!path.empty()) set_text(listing, "path", path);
    listing["entries"] = json::array();
    for (const LsEntry& entry : entries) {
      json file = to_json(filesystem_, entry.attributes, accounts_);
      set_text(file, "name", entry.name);
      listing["entries"].push_back(std::move(file));
    }
    listings_.push_back(std::move(listing));
  }

  const LsCommand& command_;
  const Filesystem& filesystem_;
  const Accounts accounts_;
  Report report_;
  json listings_ = json::array();
  std::unordered_set<Inode> entered_;
  bool with_headings_ = false;
  bool first_ = true;
};

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

Result<int> ls(LsCommand& command) {
  const GuestTree tree = TRY(GuestTree::open(command.image));
  if (command.paths.empty()) command.paths.emplace_back("/");
  LsStyle& style = command.style;
  style.long_format = style.long_format || style.numeric;
  if (::isatty(STDOUT_FILENO) != 0) {
    style.printable_only = true;
    style.width = command.one_per_line ? 0 : terminal_width();
  }
  ::clock_gettime(CLOCK_REALTIME, &style.now);
  return Ls(command, tree.filesystem()).run();
}

}  // namespace

Command add_ls(CommandLine line) {
  auto command = std::make_shared<LsCommand>();
  line.help_by_long_name_only();
  line.argument("IMAGE", command->image.image, "disk image, or a block device");
  line.optional_arguments("PATH", command->paths, "files and directories in the image; default: /");
  line.flag("-l", command->style.long_format, "modes, links, owners by the guest's names, sizes, times");
  line.flag("-a,--all", command->all, "names that begin with a dot too");
  line.flag("-A,--almost-all", command->almost_all, "as -a, without . and ..");
  line.flag("-R,--recursive", command->recursive, "what is in directories too");
  line.flag("-d,--directory", command->directories_themselves, "directories themselves, not what is in them");
  line.flag("-h,--human-readable", command->style.human, "with -l: sizes as 4.0K, 12M");
  line.flag("-i,--inode", command->style.inodes, "inode numbers");
  line.flag("-n,--numeric-uid-gid", command->style.numeric, "as -l, owners as numbers");
  line.flag("-1", command->one_per_line, "one name a line; the default where output is no terminal");
  line.flag("-t", command->by_time, "newest first");
  line.flag("-S", command->by_size, "largest first");
  line.flag("-r,--reverse", command->reverse, "reverse the order");
  line.flag("--json", command->as_json, "print JSON: a list of {path, entries}");
  add_image_options(line, command->image, "-p,--partition", "--add");
  return [command] { return ls(*command); };
}

}  // namespace vmfs
