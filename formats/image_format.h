// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "formats/image.h"
#include "formats/image_cache.h"

namespace vmfs {

/// Opens the files that an image names. The openers of formats know no paths and no policy: whoever calls
/// them does, and a fuzz target or a test gives them what it likes.
class References {
 public:
  References() = default;
  virtual ~References() = default;
  References(const References&) = delete;
  References& operator=(const References&) = delete;

  /// The image below, named `name` inside the image at hand; `format` is empty where the image does not say.
  [[nodiscard]] virtual Result<Image> backing(const std::string& name, const std::string& format) = 0;

  /// The file that holds the guest's data in place of the image's own.
  [[nodiscard]] virtual Result<std::shared_ptr<const Source>> data_file(const std::string& name) = 0;
};

/// What the opener of a format gets.
struct ImageInput {
  std::shared_ptr<const Source> file;  ///< the bytes of the image file
  References& references;
  std::string snapshot{};  ///< as in OpenOptions
  std::string password{};  ///< as in OpenOptions
  /// What is kept in memory of what is read; not null.
  std::shared_ptr<ImageCache> cache = std::make_shared<ImageCache>();
  Warn warn = [](const std::string&) {};
};

/// What the opener of a format gives. In `info` it fills all but the paths and the sizes of files.
struct OpenedImage {
  std::shared_ptr<const Source> disk;
  ImageInfo info;
};

/// A format that can be read.
struct ImageFormat {
  std::string_view name;                               ///< as `qemu-img` calls it
  bool (*recognise)(std::span<const std::byte> head);  ///< by the first bytes of the file
  Result<OpenedImage> (*open)(const ImageInput& input);
};

/// The format called `name`, or null.
[[nodiscard]] const ImageFormat* find_format(std::string_view name);

/// The format of `file` by its magic number and by its name; raw where neither says anything.
/// `path` is used for its name only. Errors: EOPNOTSUPP for a format that is known but not read, and for a
/// file packed by gzip and the like; EINVAL for a name that promises a format whose magic number is missing.
[[nodiscard]] Result<const ImageFormat*> probe_format(const Source& file, const std::filesystem::path& path,
                                                      const Warn& warn);

}  // namespace vmfs
