// SPDX-License-Identifier: MIT
#include "formats/qcow2/extensions.h"

#include <algorithm>
#include <cerrno>

#include "formats/qcow2/header.h"

namespace vmfs::qcow2 {
namespace {

struct HeaderExtension {
  be32 type;
  be32 length;
};
static_assert(sizeof(HeaderExtension) == 8);

enum : std::uint32_t {
  ext_end = 0,
  ext_backing_format = 0xe2792aca,
  ext_feature_table = 0x6803f857,
  ext_data_file = 0x44415441,
};

/// One entry of the feature name table.
struct FeatureName {
  std::uint8_t type;
  std::uint8_t bit;
  char name[46];
};
static_assert(sizeof(FeatureName) == 48);
constexpr std::uint8_t type_incompatible = 0;
constexpr std::uint64_t max_feature_names = 192;  // three bitmaps of 64 bits

/// A printable text: feature names end up in messages.
std::string printable(std::string_view text) {
  std::string out(text.substr(0, text.find('\0')));
  std::ranges::replace_if(out, [](unsigned char c) { return c < 0x20 || c >= 0x7f; }, '?');
  return out;
}

Result<void> read_feature_names(const Source& file, std::uint64_t offset, std::uint64_t length,
                                Extensions& into) {
  const std::uint64_t count = std::min(length / sizeof(FeatureName), max_feature_names);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto entry = TRY(read_struct<FeatureName>(file, offset + i * sizeof(FeatureName)));
    if (entry.type == type_incompatible && entry.bit < 64)
      into.incompatible_names[entry.bit] = printable({entry.name, sizeof entry.name});
  }
  return {};
}

Result<void> read_extension(const Source& file, std::uint32_t type, std::uint64_t offset,
                            std::uint64_t length, Extensions& into) {
  switch (type) {
    case ext_backing_format:
      into.backing_format = TRY(read_name(file, offset, length, "backing format extension"));
      return {};
    case ext_data_file:
      into.data_file = TRY(read_name(file, offset, length, "data file extension"));
      return {};
    case ext_feature_table:
      return read_feature_names(file, offset, length, into);
    default:
      return {};
  }
}

}  // namespace

std::string Extensions::name_features(std::uint64_t features) const {
  std::string out;
  for (unsigned bit = 0; bit < 64; ++bit) {
    if ((features >> bit & 1) == 0) continue;
    if (!out.empty()) out += ", ";
    const auto found = incompatible_names.find(bit);
    out += found != incompatible_names.end() ? found->second : fmt::format("bit {}", bit);
  }
  return out;
}

Result<Extensions> read_extensions(const Source& file, std::uint64_t offset, std::uint64_t end) {
  Extensions extensions;
  end = std::min(end, file.size());
  while (offset < end && end - offset >= sizeof(HeaderExtension)) {
    const auto extension = TRY(read_struct<HeaderExtension>(file, offset));
    offset += sizeof extension;
    if (extension.type == ext_end) break;
    if (extension.length > end - offset)
      return fail(EUCLEAN, "qcow2: header extension {:#x}: length {} passes the end of the header area",
                  std::uint32_t{extension.type}, std::uint32_t{extension.length});
    TRY(read_extension(file, extension.type, offset, extension.length, extensions));
    offset += (std::uint64_t{extension.length} + 7) / 8 * 8;
  }
  return extensions;
}

}  // namespace vmfs::qcow2
