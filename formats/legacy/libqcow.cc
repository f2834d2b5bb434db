// SPDX-License-Identifier: MIT
#include "formats/legacy/libqcow.h"

#include <algorithm>
#include <cerrno>

#include <libqcow.h>

namespace vmfs {
namespace {

struct Free {
  void operator()(libqcow_file_t* file) const { libqcow_file_free(&file, nullptr); }
};
using Handle = std::unique_ptr<libqcow_file_t, Free>;

/// The innermost message of an error, which it frees.
std::string message_of(libqcow_error_t*& error) {
  char text[512] = "unknown error";
  libqcow_error_sprint(error, text, sizeof text);
  libqcow_error_free(&error);
  std::string message = text;
  std::ranges::replace(message, '\n', ' ');
  return message;
}

class LibqcowSource final : public Source {
 public:
  LibqcowSource(Handle handle, std::uint64_t size) : Source(size), handle_(std::move(handle)) {}

 private:
  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override {
    return Extent::encoded(*this, offset, max_length);
  }

  [[nodiscard]] Result<void> do_decode(std::uint64_t offset, std::span<std::byte> into) const override {
    while (!into.empty()) {
      libqcow_error_t* error = nullptr;
      const ssize_t count = libqcow_file_read_buffer_at_offset(handle_.get(), into.data(), into.size(),
                                                               static_cast<off64_t>(offset), &error);
      if (count <= 0) {
        if (error == nullptr) return fail(EIO, "libqcow: nothing to read at {}", offset);
        return fail(EIO, "libqcow: at {}: {}", offset, message_of(error));
      }
      into = into.subspan(static_cast<std::size_t>(count));
      offset += static_cast<std::uint64_t>(count);
    }
    return {};
  }

  const Handle handle_;  // libqcow locks it itself
};

Result<Handle> create() {
  libqcow_file_t* file = nullptr;
  if (libqcow_file_initialize(&file, nullptr) != 1) return fail(ENOMEM, "libqcow: no memory");
  return Handle(file);
}

}  // namespace

Result<std::shared_ptr<const Source>> open_libqcow(const Source& file, const std::string& password) {
  if (password.empty()) return fail(ENOKEY, "the image is encrypted by AES and needs a password");
  const Extent extent = TRY(file.map(0, file.size()));
  if (extent.kind != Extent::Kind::data || extent.offset != 0)
    return fail(EOPNOTSUPP, "an image encrypted by AES must be a file of its own");
  auto handle = TRY(create());
  libqcow_error_t* error = nullptr;
  const auto* text = reinterpret_cast<const std::uint8_t*>(password.data());
  // Through the descriptor: the name may stand for another file by now.
  const std::string path = fmt::format("/proc/self/fd/{}", extent.fd);
  size64_t size = 0;
  if (libqcow_file_set_utf8_password(handle.get(), text, password.size(), &error) != 1 ||
      libqcow_file_open(handle.get(), path.c_str(), LIBQCOW_OPEN_READ, &error) != 1 ||
      libqcow_file_get_media_size(handle.get(), &size, &error) != 1)
    return fail(EOPNOTSUPP, "libqcow: {}", message_of(error));
  return std::make_shared<LibqcowSource>(std::move(handle), size);
}

}  // namespace vmfs
