// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <memory>
#include <unordered_map>

#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/text.h"
#include "fs/path.h"
#include "launcher/commands/commands.h"
#include "launcher/files/directory.h"
#include "launcher/files/file_hasher.h"
#include "launcher/files/file_json.h"
#include "launcher/files/guest_tree.h"
#include "launcher/files/progress.h"
#include "launcher/files/report.h"
#include "launcher/files/sha256.h"

namespace vmfs {
namespace {

using nlohmann::json;

struct HashCommand {
  ImageOptions image;
  std::vector<std::string> paths;
  bool as_json = false;
};

/// A name of a file to hash. Names of one file share its digest.
struct HashedName {
  std::string path;
  std::uint64_t size = 0;
  std::size_t file = 0;
};

class RegularFiles final : public WalkVisitor {
 public:
  explicit RegularFiles(Report& report) : report_(report) {}

  WalkStep visit(const WalkEntry& entry) override {
    if (!S_ISREG(entry.attributes.mode)) return WalkStep::into;
    const auto [known, fresh] = indices_.emplace(entry.inode, files.size());
    if (fresh) {
      files.push_back(entry.inode);
      bytes += entry.attributes.size;
    }
    names.push_back({.path = entry.path, .size = entry.attributes.size, .file = known->second});
    return WalkStep::into;
  }

  void error(const std::string& path, const Error& error) override {
    report_.error("cannot read", path, error);
  }

  std::vector<HashedName> names;
  std::vector<Inode> files;
  std::uint64_t bytes = 0;

 private:
  Report& report_;
  std::unordered_map<Inode, std::size_t> indices_;
};

Result<int> hash(HashCommand& command) {
  const GuestTree tree = TRY(GuestTree::open(command.image, {.threads = FileHasher::max_threads}));
  const Filesystem& filesystem = tree.filesystem();
  if (command.paths.empty()) command.paths.emplace_back(".");
  const bool printable_only = ::isatty(STDOUT_FILENO) != 0;
  Report report;
  RegularFiles found(report);
  for (const std::string& path : command.paths) {
    const auto inode = resolve(filesystem, path);
    if (inode) {
      walk_tree(filesystem, path, *inode, found);
    } else {
      report.error("cannot access", path, inode.error());
    }
  }
  std::ranges::sort(found.names, {}, &HashedName::path);

  Progress progress(found.bytes);
  FileHasher hasher(filesystem, std::move(found.files));
  json list = json::array();
  std::uint64_t shown = 0;
  const auto advance = [&](std::uint64_t files) {
    const std::uint64_t now = hasher.bytes();
    progress.add(now - shown, files);
    shown = now;
  };
  for (const HashedName& name : found.names) {
    const auto digest = hasher.wait(name.file, [&] { advance(0); });
    advance(1);
    if (!digest) {
      progress.hide();
      report.error("cannot read", name.path, digest.error());
    } else if (command.as_json) {
      json file = {{"sha256", *digest}, {"size", name.size}};
      set_text(file, "path", name.path);
      list.push_back(std::move(file));
    } else {
      const std::string line = checksum_line(*digest, name.path);
      fmt::print("{}\n", printable_only ? printable(line) : line);
    }
  }
  if (command.as_json) fmt::print("{}\n", to_text(list));
  progress.hide();
  return report.finish();
}

}  // namespace

Command add_hash(CommandLine line) {
  auto command = std::make_shared<HashCommand>();
  line.argument("IMAGE", command->image.image, "disk image, or a block device");
  line.optional_arguments("PATH", command->paths,
                          "files and directories in the image; default: all, as ./...");
  line.flag("--json", command->as_json, "print JSON: a list of {path, sha256, size}");
  add_image_options(line, command->image);
  line.footer(
      "SHA-256 of every regular file, in the order of the names' bytes, for `sha256sum --check` in a copy of "
      "the tree.");
  return [command] { return hash(*command); };
}

}  // namespace vmfs
