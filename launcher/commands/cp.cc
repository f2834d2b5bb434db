// SPDX-License-Identifier: MIT
#include <cerrno>
#include <memory>
#include <system_error>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "fs/path.h"
#include "launcher/commands/commands.h"
#include "launcher/files/guest_tree.h"
#include "launcher/files/tree_copier.h"

namespace vmfs {
namespace {

struct CpCommand {
  ImageOptions image;
  std::vector<std::string> paths;
  bool archive = false;
  bool recursive = false;
  bool preserve = false;
  bool follow = false;
};

/// Where copies go: into a directory under their own names, or to one name there.
struct Destination {
  std::string directory;
  std::string name;  ///< empty: their own
};

bool is_directory(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string_view without_slashes(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path;
}

// The last component of a path in the image; empty for ".", ".." and the root, which have no name to give.
std::string last_name(std::string_view path) {
  path = without_slashes(path);
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name == "." || name == ".." || name == "/" ? std::string() : std::string(name);
}

Destination find_destination(const std::string& given) {
  if (is_directory(given)) return {.directory = given, .name = {}};
  const std::string_view path = without_slashes(given);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {.directory = ".", .name = std::string(path)};
  return {.directory = std::string(path.substr(0, slash + 1)), .name = std::string(path.substr(slash + 1))};
}

// A descriptor for each level of the tree is open at a time.
void raise_descriptor_limit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &files);
}

CopyOptions to_copy_options(const CpCommand& command) {
  return {.recursive = command.recursive || command.archive,
          .attributes = command.preserve || command.archive,
          .xattrs = command.archive,
          .hard_links = command.archive,
          .follow_links = command.follow || !(command.recursive || command.archive)};
}

Result<int> cp(CpCommand& command) {
  if (command.paths.size() < 2) {
    fmt::print(stderr, "vmfs: cp: where to? IMAGE PATH... DEST\n");
    return 2;
  }
  const std::string given = command.paths.back();
  command.paths.pop_back();
  if (command.paths.size() > 1 && !is_directory(given))
    return fail(ENOTDIR, "{}: no directory for several files", given);
  const Destination to = find_destination(given);
  const Fd directory(::open(to.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return fail(errno, "{}: {}", to.directory, std::generic_category().message(errno));
  raise_descriptor_limit();
  const GuestTree tree =
      TRY(GuestTree::open(command.image, {.work = Work::copy, .directories = {directory.get()}}));
  const CopyOptions options = to_copy_options(command);
  TreeCopier copier(tree.filesystem(), options);
  for (const std::string& path : command.paths) {
    const auto inode =
        options.follow_links ? resolve(tree.filesystem(), path) : resolve_link(tree.filesystem(), path);
    if (!inode) {
      copier.error(path, inode.error());
      continue;
    }
    copier.copy(path, *inode, Fd(::fcntl(directory.get(), F_DUPFD_CLOEXEC, 0)),
                to.name.empty() ? last_name(path) : to.name, to.directory);
  }
  return copier.finish();
}

}  // namespace

Command add_cp(CommandLine line) {
  auto command = std::make_shared<CpCommand>();
  line.argument("IMAGE", command->image.image, "disk image, or a block device");
  line.arguments("PATH... DEST", command->paths, "files in the image, and where to put them");
  line.flag("-r,-R,--recursive", command->recursive, "directories with all that is in them");
  line.flag("-p", command->preserve, "keep modes, owners, times and access control lists");
  line.flag("-a,--archive", command->archive,
            "-r and -p, and keep symbolic links, hard links and extended attributes");
  line.flag("-L,--dereference", command->follow, "copy what symbolic links lead to in the image");
  add_image_options(line, command->image, "--partition", "--add");
  line.footer(
      "Copies as cp(1) does, out of the image. A PATH that ends in /. stands for what is in the directory. "
      "Files that\n"
      "are in the way are replaced, symbolic links in DEST are never followed. What an ordinary user may not "
      "set,\n"
      "owners above all, is summed up at the end.");
  return [command] { return cp(*command); };
}

}  // namespace vmfs
