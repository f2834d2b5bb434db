// SPDX-License-Identifier: MIT
#include <cerrno>
#include <memory>

#include <sys/stat.h>
#include <unistd.h>

#include "fs/path.h"
#include "launcher/commands/commands.h"
#include "launcher/files/contents.h"
#include "launcher/files/guest_tree.h"
#include "launcher/files/report.h"

namespace vmfs {
namespace {

struct CatCommand {
  ImageOptions image;
  std::vector<std::string> paths;
};

Result<std::shared_ptr<const Source>> open_file(const Filesystem& filesystem, const std::string& path) {
  const Inode inode = TRY(resolve(filesystem, path));
  const Attributes attributes = TRY(filesystem.stat(inode));
  if (S_ISDIR(attributes.mode)) return fail(EISDIR, "");
  if (!S_ISREG(attributes.mode)) return fail(EINVAL, "not a regular file");
  return filesystem.open(inode);
}

Result<int> cat(const CatCommand& command) {
  const GuestTree tree = TRY(GuestTree::open(command.image));
  widen_pipe(STDOUT_FILENO);
  Report report;
  for (const std::string& path : command.paths) {
    const auto source = open_file(tree.filesystem(), path);
    if (!source) {
      report.error("cannot open", path, source.error());
      continue;
    }
    // Who cannot be written to cannot be written to by the next file either.
    Result<void> written;
    const auto done = read_through(**source, [&](std::span<const std::byte> bytes) {
      written = write_all(STDOUT_FILENO, bytes);
      return written.has_value();
    });
    if (!written) return fail(written.error().code, "write error: {}", explain(written.error()));
    if (!done) report.error("error reading", path, done.error());
  }
  return report.finish();
}

}  // namespace

Command add_cat(CommandLine line) {
  auto command = std::make_shared<CatCommand>();
  line.argument("IMAGE", command->image.image, "disk image, or a block device");
  line.arguments("PATH", command->paths, "files in the image; symbolic links are followed inside it");
  add_image_options(line, command->image);
  return [command] { return cat(*command); };
}

}  // namespace vmfs
