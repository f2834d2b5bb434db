// SPDX-License-Identifier: MIT
#include <cerrno>
#include <cstdio>
#include <memory>

#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/text.h"
#include "fs/path.h"
#include "launcher/commands/commands.h"
#include "launcher/files/file_json.h"
#include "launcher/files/guest_tree.h"
#include "launcher/files/report.h"
#include "launcher/files/stat_format.h"

namespace vmfs {
namespace {

using nlohmann::json;

struct StatCommand {
  ImageOptions image;
  std::vector<std::string> paths;
  std::string format;
  bool follow = false;
  bool as_json = false;
};

Result<StatSubject> find(const Filesystem& filesystem, const std::string& path, bool follow) {
  const Inode inode = TRY(follow ? resolve(filesystem, path) : resolve_link(filesystem, path));
  StatSubject subject{.path = path, .attributes = TRY(filesystem.stat(inode)), .target = {}};
  if (S_ISLNK(subject.attributes.mode)) subject.target = TRY(filesystem.readlink(inode));
  return subject;
}

json to_json(const Filesystem& filesystem, const StatSubject& subject, const Accounts& accounts) {
  json out = to_json(filesystem, subject.attributes, accounts);
  set_text(out, "path", subject.path);
  out["block_size"] = subject.attributes.block_size;
  json xattrs = json::array();
  const auto names = filesystem.xattr_names(subject.attributes.inode);
  if (names) {
    for (const std::string& name : *names) {
      json attribute = json::object();
      set_text(attribute, "name", name);
      const auto value = filesystem.xattr(subject.attributes.inode, name);
      if (value) set_text(attribute, "value", *value);
      xattrs.push_back(std::move(attribute));
    }
  }
  out["xattrs"] = std::move(xattrs);
  return out;
}

void print(const StatCommand& command, const StatSubject& subject, const Accounts& accounts) {
  StatSubject shown = subject;
  // Only a terminal obeys what a name may hold.
  if (::isatty(STDOUT_FILENO) != 0) {
    shown.path = printable(shown.path);
    shown.target = printable(shown.target);
  }
  if (command.format.empty()) {
    fmt::print("{}", format_stat(shown, accounts));
  } else if (const auto text = format_stat(command.format, shown, accounts)) {
    fmt::print("{}", *text);
  }
}

Result<int> stat(const StatCommand& command) {
  if (const auto checked = format_stat(command.format, {}, {}); !checked) {
    fmt::print(stderr, "vmfs: stat: {}\n", checked.error().what);
    return 2;
  }
  const GuestTree tree = TRY(GuestTree::open(command.image));
  const Filesystem& filesystem = tree.filesystem();
  const Accounts accounts = Accounts::read(filesystem);
  Report report;
  json files = json::array();
  for (const std::string& path : command.paths) {
    const auto subject = find(filesystem, path, command.follow);
    if (!subject) {
      report.error("cannot stat", path, subject.error());
    } else if (command.as_json) {
      files.push_back(to_json(filesystem, *subject, accounts));
    } else {
      print(command, *subject, accounts);
    }
  }
  if (command.as_json) fmt::print("{}\n", to_text(files));
  return report.finish();
}

}  // namespace

Command add_stat(CommandLine line) {
  auto command = std::make_shared<StatCommand>();
  line.argument("IMAGE", command->image.image, "disk image, or a block device");
  line.arguments("PATH", command->paths, "files in the image");
  line.flag("-L,--dereference", command->follow, "follow symbolic links, inside the image");
  line.option("-c", command->format, "print this, with the directives of `stat -c`, for each file", "FORMAT");
  line.flag("--json", command->as_json, "print JSON: a list of files with all their attributes");
  add_image_options(line, command->image);
  return [command] { return stat(*command); };
}

}  // namespace vmfs
