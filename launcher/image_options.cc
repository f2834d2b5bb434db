// SPDX-License-Identifier: MIT
#include "launcher/image_options.h"

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iostream>

#include <fmt/ranges.h>

#include "formats/text.h"

namespace vmfs {
namespace {

Result<std::string> first_line(const std::string& path) {
  std::string line;
  if (path == "-") {
    std::getline(std::cin, line);
    return line;
  }
  std::ifstream file(path);
  if (!file) return fail(errno, "{}: cannot read the password", path);
  std::getline(file, line);
  return line;
}

Result<OpenOptions> to_open_options(const ImageOptions& options, const Warn& warn) {
  OpenOptions out;
  out.format = options.format;
  out.snapshot = options.snapshot;
  out.backing.follow = !options.no_backing;
  if (!options.backing_directory.empty()) out.backing.directory = options.backing_directory;
  if (!options.password_file.empty()) out.password = TRY(first_line(options.password_file));
  out.cache = options.cache;
  out.warn = warn;
  return out;
}

Result<void> take_cache_size(const std::string& text, ImageOptions& options) {
  options.cache = std::make_shared<ImageCache>(TRY(parse_cache_size(text)));
  options.cache_size_given = true;
  return {};
}

}  // namespace

void add_image_options(CommandLine line, ImageOptions& options, const std::string& partition,
                       const std::string& add) {
  line.list(add, options.added,
            "further image of the same guest, for volume groups and journals on several disks; repeatable",
            "FILE");
  line.option("--format", options.format,
              fmt::format("format of the image, not guessed: {}", fmt::join(image_formats(), ", ")));
  line.option("--snapshot", options.snapshot, "internal snapshot to show, by id or name");
  line.option(partition, options.partition,
              "partition or logical volume to show, by number, VG/LV, label or UUID");
  line.flag("--no-backing", options.no_backing, "refuse an image that names another file");
  line.option("--backing-dir", options.backing_directory,
              "take files that an image names from this folder only");
  line.option("--password-file", options.password_file,
              "file whose first line is the password of an encrypted image; - is standard input");
  line.option(
      "--cache-size", [&options](const std::string& text) { return take_cache_size(text, options); },
      "how much to keep in memory of decoded clusters and L2 tables, at most; default: 16M", "SIZE");
  line.flag("--norecovery", options.no_recovery, "show the disk as it is, without replaying a journal");
}

FilesystemOptions filesystem_options(const ImageOptions& options, const Warn& warn) {
  return {.recover = !options.no_recovery, .warn = warn};
}

Result<std::vector<Image>> open_images_from_options(const ImageOptions& options, const Warn& warn) {
  const OpenOptions open_options = TRY(to_open_options(options, warn));
  std::vector<Image> images{TRY(open_image(options.image, open_options))};
  for (const std::string& path : options.added) images.push_back(TRY(open_image(path, open_options)));
  return images;
}

Result<Disk> open_disk_from_options(const ImageOptions& options, const std::vector<Image>& images,
                                    const Warn& warn) {
  std::vector<std::shared_ptr<const Source>> disks;
  for (const Image& image : images) disks.push_back(image.disk);
  auto disk = open_disks(disks, filesystem_options(options, warn));
  if (!disk) return fail(disk.error().code, "{}: {}", options.image, disk.error().what);
  return disk;
}

// By stdio, which does not throw where standard error is closed or full.
void print_warning(const std::string& message) {
  std::fputs(fmt::format("vmfs: warning: {}\n", printable(message)).c_str(), stderr);
}

}  // namespace vmfs
