// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fs/guest/assemble.h"
#include "fs/guest/system.h"
#include "launcher/image_options.h"

namespace vmfs {

/// A volume with what takes a look into its file system.
struct VolumeFindings {
  const Volume* volume = nullptr;
  std::optional<Usage> usage;
  std::optional<OperatingSystem> system;
  std::vector<std::string> directories;  ///< where guests show it
};

/// A guest whose root is on a disk.
struct GuestFindings {
  const Volume* root = nullptr;
  OperatingSystem system;
  SystemFacts facts;
  std::vector<GuestMount> mounts;
};

/// All that `inspect` says of an image. What points somewhere points into `disk`.
struct Inspection {
  std::string path;
  std::vector<Image> images;  ///< the image, then those added to it
  Disk disk;
  std::vector<VolumeFindings> volumes;  ///< as in `disk`
  std::vector<GuestFindings> guests;    ///< each root of an operating system, in the order of volumes
};

/// Looks at what is on the images that the options name, and into every guest there. Opens no file. Errors:
/// as open_disk_from_options(). `warn` is called from this thread only.
[[nodiscard]] Result<Inspection> inspect_image(const ImageOptions& options, std::vector<Image> images,
                                               const Warn& warn);

/// The inspection as JSON, one document and a line break. README documents its schema.
[[nodiscard]] std::string to_json_text(const Inspection& inspection);

/// The inspection for people: the chain, a tree of disks and volumes, and the guests.
[[nodiscard]] std::string to_text(const Inspection& inspection);

/// The bytes of a file system that are in use.
[[nodiscard]] std::uint64_t used_bytes(const Usage& usage);

}  // namespace vmfs
