// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "formats/image.h"
#include "formats/image_cache.h"
#include "fs/guest/guest.h"
#include "launcher/command_line.h"

namespace vmfs {

/// The options of every verb that opens an image, and the image they speak of.
struct ImageOptions {
  std::string image;
  std::vector<std::string> added;  ///< further images, whose disks belong to the same guest
  std::string format;
  std::string snapshot;
  std::string partition;
  std::string backing_directory;
  std::string password_file;
  bool no_backing = false;
  bool no_recovery = false;
  bool cache_size_given = false;
  /// Of all images that these options and copies of them open.
  std::shared_ptr<ImageCache> cache = std::make_shared<ImageCache>();
};

/// Adds these options to a verb, but for the image itself, whose place differs. `partition` and `add` are
/// what the options of these names are called.
void add_image_options(CommandLine line, ImageOptions& options,
                       const std::string& partition = "-p,--partition", const std::string& add = "-a,--add");

/// Prints "vmfs: warning: ..." on standard error, in one line whatever the image says. Throws nothing but
/// bad_alloc.
void print_warning(const std::string& message);

/// How the file systems of an image are opened.
[[nodiscard]] FilesystemOptions filesystem_options(const ImageOptions& options,
                                                   const Warn& warn = print_warning);

/// Opens the images that the options name, the one they speak of first, with all files they name in turn;
/// what the guest wrote into them is not looked at yet. --format, --snapshot and the others hold for each of
/// them.
[[nodiscard]] Result<std::vector<Image>> open_images_from_options(const ImageOptions& options,
                                                                  const Warn& warn = print_warning);

/// Looks at what is on the images. Opens no file.
[[nodiscard]] Result<Disk> open_disk_from_options(const ImageOptions& options,
                                                  const std::vector<Image>& images,
                                                  const Warn& warn = print_warning);

}  // namespace vmfs
