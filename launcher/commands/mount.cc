// SPDX-License-Identifier: MIT
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <tuple>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "fs/mount/mounter.h"
#include "fs/mount/server.h"
#include "launcher/background.h"
#include "launcher/commands/commands.h"
#include "launcher/files/guest_tree.h"
#include "launcher/sandbox/sandbox.h"

namespace vmfs {
namespace {

struct MountCommand {
  ImageOptions image;
  std::string directory;
  std::vector<std::string> words;
  bool all = false;
  bool foreground = false;
  bool debug = false;
  bool single_thread = false;
};

bool is_root_of_the_machine() {
  std::ifstream map("/proc/self/uid_map");
  std::uint32_t inside = 0;
  std::uint32_t outside = 0;
  std::uint32_t count = 0;
  return ::geteuid() == 0 && map >> inside >> outside >> count && outside == 0 && count == UINT32_MAX;
}

// What `-o` says and what an option of its own says is the same thing: the option wins.
Result<MountOptions> merge(MountCommand& command) {
  MountOptions options;
  for (const std::string& words : command.words) {
    if (const auto parsed = parse_mount_options(words, options); !parsed)
      return std::unexpected(parsed.error());
  }
  command.image.added.insert(command.image.added.end(), options.added.begin(), options.added.end());
  if (command.image.format.empty()) command.image.format = options.format;
  if (command.image.partition.empty()) command.image.partition = options.partition;
  if (command.image.snapshot.empty()) command.image.snapshot = options.snapshot;
  command.all = command.all || options.all;
  command.image.no_recovery = command.image.no_recovery || !options.recover;
  if (options.cache_size && !command.image.cache_size_given)
    command.image.cache = std::make_shared<ImageCache>(*options.cache_size);
  if (command.single_thread) options.max_threads = 1;
  options.debug = options.debug || command.debug;
  options.trusted_attributes = is_root_of_the_machine();
  return options;
}

std::vector<int> open_descriptors() {
  std::vector<int> found;
  std::error_code code;
  for (std::filesystem::directory_iterator fd("/proc/self/fd", code), end; !code && fd != end;
       fd.increment(code)) {
    found.push_back(std::atoi(fd->path().filename().c_str()));
  }
  // The folder itself was open, and standard streams are another matter.
  std::erase_if(found, [](int fd) { return fd <= STDERR_FILENO || ::fcntl(fd, F_GETFD) < 0; });
  return found;
}

// All that is in the image is read in here.
Result<int> serve(const MountCommand& command, const std::vector<Image>& images, const MountOptions& options,
                  Mounter& mounter, std::optional<Background>& background) {
  const GuestTree tree = TRY(command.all ? GuestTree::look_at_all(command.image, images)
                                         : GuestTree::look(command.image, images));
  const Warn log =
      background ? Warn([&](const std::string& message) { mounter.log(message); }) : print_warning;
  const auto server = TRY(Server::make(tree.filesystem(), options, log));
  const int connection = TRY(mounter.mount());
  mounter.serving();
  if (background) background->ready();
  const auto end = server->serve(connection);
  if (end && *end == Server::End::unmounted) {
    mounter.gone();
    return 0;
  }
  TRY(mounter.unmount());
  std::ignore = TRY(end);
  return 0;
}

Result<int> mount(MountCommand& command) {
  const std::vector<int> inherited = open_descriptors();
  const auto options = merge(command);
  if (!options) {
    fmt::print(stderr, "vmfs: {}\n", options.error().what);
    return options.error().code == EINVAL ? 2 : 1;
  }
  const std::vector<Image> images = TRY(open_images_from_options(command.image));
  std::error_code ignored;
  const auto source = std::filesystem::absolute(command.image.image, ignored).string();
  const auto mounter = TRY(Mounter::create());
  const auto start_mounter = [&](pid_t server) {
    return mounter->start(server, command.directory, source, *options);
  };
  std::optional<Background> background;
  if (!command.foreground && !options->debug) {
    // The server outlives its caller, whose locks and pipes must not live on in it.
    for (const int fd : inherited) ::close(fd);
    background = TRY(Background::start(start_mounter));
  } else {
    TRY(start_mounter(::getpid()));
  }
  if (background && ::chdir("/") != 0) return fail(errno, "/: {}", std::generic_category().message(errno));
  TRY(enter_sandbox({.work = Work::serve, .threads = options->max_threads}));
  return serve(command, images, *options, *mounter, background);
}

}  // namespace

Command add_mount(CommandLine line) {
  auto command = std::make_shared<MountCommand>();
  line.argument("IMAGE", command->image.image, "disk image, or a block device");
  line.argument("DIRECTORY", command->directory, "mount point");
  line.list("-o", command->words, "mount options, comma-separated, as of mount(8) and mount.fuse3(8)",
            "OPTION[,OPTION]...");
  line.flag("--all", command->all,
            "every volume as a directory, named as `inspect` names it; VG/LV is a directory in VG");
  line.flag("-f,--foreground", command->foreground, "stay in the foreground");
  line.flag("-d,--debug", command->debug, "stay in the foreground and print every request");
  line.flag("-s", command->single_thread, "serve on one thread");
  add_image_options(line, command->image);
  return [command] { return mount(*command); };
}

}  // namespace vmfs
