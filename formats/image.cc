// SPDX-License-Identifier: MIT
#include "formats/image.h"

#include <cerrno>

#include "formats/backing.h"
#include "formats/host_file.h"
#include "formats/image_cache.h"
#include "formats/image_format.h"

namespace vmfs {
namespace {

constexpr unsigned max_depth = 16;

/// One file of a chain while it is being opened; those above it lie on the stack.
class ChainFile final : public References {
 public:
  ChainFile(std::shared_ptr<const HostFile> file, const OpenOptions& options, const ChainFile* above)
      : file_(std::move(file)), options_(options), above_(above), depth_(above ? above->depth_ + 1 : 0) {}

  /// `format` empty: found by the magic number.
  Result<Image> open(const std::string& format, const std::string& snapshot);

  Result<Image> backing(const std::string& name, const std::string& format) override {
    auto image = open_backing(name, format);
    reference_failed_ = !image;
    return image;
  }
  Result<std::shared_ptr<const Source>> data_file(const std::string& name) override {
    auto file = open_data_file(name);
    reference_failed_ = !file;
    return file;
  }

 private:
  Result<Image> open_backing(const std::string& backing_name, const std::string& format);
  Result<std::shared_ptr<const Source>> open_data_file(const std::string& data_name);
  Result<const ImageFormat*> choose_format(const std::string& format) const;
  bool in_chain(const HostFile& file) const;
  void warn(const std::string& text) const { options_.warn(name() + ": " + text); }
  std::string name() const { return file_->path().string(); }

  const std::shared_ptr<const HostFile> file_;
  const OpenOptions& options_;
  const ChainFile* const above_;
  const unsigned depth_;
  std::string data_path_;          ///< of the external data file, once opened
  bool reference_failed_ = false;  ///< the error in flight names its file already
};

Result<const ImageFormat*> ChainFile::choose_format(const std::string& format) const {
  if (format.empty()) return probe_format(*file_, file_->path(), [this](const auto& text) { warn(text); });
  // QEMU accepts its protocol drivers where a format is asked for; then the bytes are taken as they are.
  const bool as_it_is = format == "file" || format == "host_device";
  const ImageFormat* found = find_format(as_it_is ? "raw" : format);
  if (found == nullptr) return fail(EOPNOTSUPP, "the format '{}' is not supported", format);
  return found;
}

Result<Image> ChainFile::open(const std::string& format, const std::string& snapshot) {
  if (file_->open_for_writing_by_qemu())
    warn("another process has the image open for writing; what is read may be inconsistent");
  auto chosen = choose_format(format);
  if (!chosen) return fail(chosen.error().code, "{}: {}", name(), chosen.error().what);
  const ImageInput input{.file = file_,
                         .references = *this,
                         .snapshot = snapshot,
                         .password = options_.password,
                         .cache = options_.cache,
                         .warn = [this](const auto& text) { warn(text); }};
  auto opened = (*chosen)->open(input);
  if (!opened) {
    if (reference_failed_) return std::unexpected(std::move(opened).error());
    return fail(opened.error().code, "{}: {}", name(), opened.error().what);
  }
  auto info = std::make_shared<ImageInfo>(std::move(opened->info));
  info->path = name();
  info->data_file = data_path_;
  info->file_size = file_->size();
  info->allocated = file_->allocated();
  return Image{.disk = std::move(opened->disk), .info = std::move(info)};
}

bool ChainFile::in_chain(const HostFile& file) const {
  return same_file(file, *file_) || (above_ != nullptr && above_->in_chain(file));
}

Result<Image> ChainFile::open_backing(const std::string& backing_name, const std::string& format) {
  if (depth_ + 1 >= max_depth)
    return fail(ELOOP, "{}: the chain of backing files has more than {} images", name(), max_depth);
  auto file = TRY(open_reference(*file_, backing_name, "backing file", options_.backing));
  if (in_chain(*file))
    return fail(ELOOP, "{}: its backing file '{}' is above it in the chain", name(), backing_name);
  ChainFile below(file, options_, this);
  auto image = TRY(below.open(format, {}));
  if (format.empty())
    warn(fmt::format("the image does not say the format of its backing file '{}', which was taken as {}",
                     backing_name, image.info->format));
  return image;
}

Result<std::shared_ptr<const Source>> ChainFile::open_data_file(const std::string& data_name) {
  auto file = TRY(open_reference(*file_, data_name, "data file", options_.backing));
  if (file->open_for_writing_by_qemu()) warn("another process has the data file open for writing");
  data_path_ = file->path().string();
  return file;
}

}  // namespace

Result<Image> open_image(const std::filesystem::path& path, const OpenOptions& options) {
  OpenOptions with_cache = options;
  if (!with_cache.cache) with_cache.cache = std::make_shared<ImageCache>();
  ChainFile top(TRY(HostFile::open(path)), with_cache, nullptr);
  return top.open(options.format, options.snapshot);
}

}  // namespace vmfs
