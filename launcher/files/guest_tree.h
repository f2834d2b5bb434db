// SPDX-License-Identifier: MIT
#pragma once

#include "launcher/image_options.h"
#include "launcher/sandbox/sandbox.h"

namespace vmfs {

/// The tree of files that a verb works on, and the image that it lives in.
class GuestTree {
 public:
  /// Opens the images, enters the sandbox, and looks at what is in them. From there on no file can be opened
  /// but as `needs` say. Errors: as open_images_from_options(), enter_sandbox() and look().
  [[nodiscard]] static Result<GuestTree> open(const ImageOptions& options, const SandboxNeeds& needs = {});

  /// Puts the guest in the images together, or shows the one volume that the options name. Opens no file.
  /// Errors: as open_disk_from_options() and open_guest(), prefixed by the image's name.
  [[nodiscard]] static Result<GuestTree> look(const ImageOptions& options, const std::vector<Image>& images);

  /// Shows every volume that can be read as a directory, named as `inspect` names it. Opens no file. Errors:
  /// as open_disk_from_options() and all_volumes(), prefixed by the image's name.
  [[nodiscard]] static Result<GuestTree> look_at_all(const ImageOptions& options,
                                                     const std::vector<Image>& images);

  [[nodiscard]] const Filesystem& filesystem() const { return *filesystem_; }

 private:
  explicit GuestTree(Disk disk) : disk_(std::move(disk)) {}

  Disk disk_;
  std::shared_ptr<const Filesystem> filesystem_;
};

}  // namespace vmfs
