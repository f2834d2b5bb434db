// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/source.h"

namespace vmfs {

struct ImageCache;

/// Which files named inside an image may be opened. Such names are an attacker's: a guest could name
/// /etc/shadow. Whatever the policy, only regular files that the owner of the naming image could read are
/// opened: see formats/backing.h.
struct BackingPolicy {
  bool follow = true;  ///< false (`--no-backing`): an image that names another file is refused
  /// `--backing-dir`: the only folder whose files (by their last path component) may be used
  std::optional<std::filesystem::path> directory;
};

/// How to open an image.
struct OpenOptions {
  std::string format;    ///< a name in image_formats(); empty: found by the magic number
  std::string snapshot;  ///< id or name of an internal snapshot; empty: the active state
  std::string password;  ///< for images that are encrypted by AES
  BackingPolicy backing;
  std::shared_ptr<ImageCache> cache;  ///< of the whole chain and whoever else; null: one of its own
  Warn warn = [](const std::string&) {};
};

/// An internal snapshot of an image.
struct Snapshot {
  std::string id;
  std::string name;
  std::uint64_t size = 0;  ///< bytes of the virtual disk at that time
  std::int64_t time = 0;   ///< seconds since the epoch
};

/// What there is to say of one file of a chain; `inspect` prints it.
struct ImageInfo {
  std::string format;              ///< "raw", "qcow2", "qcow" (version 1)
  std::string path;                ///< as opened
  std::uint64_t virtual_size = 0;  ///< bytes
  std::uint64_t file_size = 0;     ///< bytes, the length of the file
  std::uint64_t allocated = 0;     ///< bytes the file occupies on the host
  std::vector<std::pair<std::string, std::string>>
      details;  ///< format specific, in the names of `qemu-img info`
  std::vector<Snapshot> snapshots;
  bool dirty = false;                        ///< not closed cleanly
  bool corrupt = false;                      ///< marked corrupt by a former user
  std::string data_file;                     ///< qcow2: path of the external data file, empty if none
  std::shared_ptr<const ImageInfo> backing;  ///< the next file of the chain, if any
};

/// An opened virtual disk.
struct Image {
  std::shared_ptr<const Source> disk;  ///< what the guest sees; owns everything below it
  std::shared_ptr<const ImageInfo> info;
};

/// The names that `OpenOptions::format` accepts.
[[nodiscard]] std::vector<std::string> image_formats();

/// Opens an image of any supported format with its whole chain of backing files (at most 16 deep).
/// Errors carry the path of the file at fault: ENOENT and the like from the host; EOPNOTSUPP for a format or
/// feature that is not supported, by name; EUCLEAN for a broken header; EPERM where the backing policy
/// forbids; ELOOP for a chain that is too long.
[[nodiscard]] Result<Image> open_image(const std::filesystem::path& path, const OpenOptions& options);

}  // namespace vmfs
