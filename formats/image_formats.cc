// SPDX-License-Identifier: MIT
#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>

#include "formats/image_format.h"
#include "formats/qcow2/open.h"

namespace vmfs {
namespace {

using namespace std::string_view_literals;

Result<OpenedImage> open_raw(const ImageInput& input) {
  if (!input.snapshot.empty()) return fail(EOPNOTSUPP, "a raw image has no snapshots");
  ImageInfo info;
  info.format = "raw";
  info.virtual_size = input.file->size();
  return OpenedImage{.disk = input.file, .info = std::move(info)};
}

bool never(std::span<const std::byte>) {
  return false;
}

/// The formats that can be read. A new one is a line here and a folder of its own.
constexpr ImageFormat formats[] = {
    {"raw", never, open_raw},
    {"qcow2", qcow2::recognise, qcow2::open},
    {"qcow", qcow2::recognise_v1, qcow2::open_v1},
};

constexpr auto convert_hint = "convert it first: qemu-img convert -O qcow2 FILE NEW.qcow2";

/// Something that must not be taken for a raw disk. Footers are sought in the last sector.
struct Foreign {
  enum class Where : std::uint8_t { head, footer };
  std::string_view name;
  Where where;
  std::size_t offset;
  std::string_view magic;
  const char* hint;
};

constexpr Foreign foreigners[] = {
    {"vmdk", Foreign::Where::head, 0, "KDMV"sv, convert_hint},
    {"vmdk (ESX sparse)", Foreign::Where::head, 0, "COWD"sv, convert_hint},
    {"vmdk (descriptor)", Foreign::Where::head, 0, "# Disk DescriptorFile"sv, convert_hint},
    {"vhdx", Foreign::Where::head, 0, "vhdxfile"sv, convert_hint},
    {"vhd (vpc)", Foreign::Where::head, 0, "conectix"sv, convert_hint},
    {"vhd (vpc)", Foreign::Where::footer, 0, "conectix"sv, convert_hint},
    {"vdi", Foreign::Where::head, 64, "\x7f\x10\xda\xbe"sv, convert_hint},
    {"qed", Foreign::Where::head, 0, "QED\0"sv, convert_hint},
    {"parallels", Foreign::Where::head, 0, "WithoutFreeSpace"sv, convert_hint},
    {"parallels", Foreign::Where::head, 0, "WithouFreSpacExt"sv, convert_hint},
    {"bochs", Foreign::Where::head, 0, "Bochs Virtual HD Image"sv, convert_hint},
    {"cloop", Foreign::Where::head, 0, "#!/bin/sh\n#V2.0 Format\n"sv, convert_hint},
    {"dmg", Foreign::Where::footer, 0, "koly"sv, convert_hint},
    {"ewf", Foreign::Where::head, 0, "EVF\x09\x0d\x0a\xff\x00"sv, "export it as raw: ewfexport FILE"},
    {"gzip", Foreign::Where::head, 0, "\x1f\x8b\x08"sv, "unpack it first: gunzip -k FILE"},
    {"xz", Foreign::Where::head, 0, "\xfd\x37zXZ\0"sv, "unpack it first: unxz -k FILE"},
    {"zstd", Foreign::Where::head, 0, "\x28\xb5\x2f\xfd"sv, "unpack it first: unzstd FILE"},
    {"bzip2", Foreign::Where::head, 0, "BZh"sv, "unpack it first: bunzip2 -k FILE"},
    {"lz4", Foreign::Where::head, 0, "\x04\x22\x4d\x18"sv, "unpack it first: unlz4 FILE"},
    {"zip", Foreign::Where::head, 0, "PK\x03\x04"sv, "unpack it first: unzip FILE"},
};

/// Names that promise a format; without its magic number the file is damaged or misnamed, never raw.
struct Promise {
  std::string_view extension;
  std::string_view format;
};

constexpr Promise promises[] = {
    {".qcow2", "qcow2"}, {".qcow", "qcow2 or qcow"},
    {".vmdk", "vmdk"},   {".vhd", "vhd"},
    {".vhdx", "vhdx"},   {".vdi", "vdi"},
    {".qed", "qed"},     {".hdd", "parallels"},
    {".dmg", "dmg"},     {".ova", "ova"},
    {".gz", "gzip"},     {".xz", "xz"},
    {".zst", "zstd"},    {".bz2", "bzip2"},
    {".zip", "zip"},
};

constexpr std::size_t head_size = 512;
using Sector = std::array<std::byte, head_size>;

bool lies_at(std::span<const std::byte> bytes, std::size_t offset, std::string_view magic) {
  if (offset > bytes.size() || magic.size() > bytes.size() - offset) return false;
  return std::ranges::equal(bytes.subspan(offset, magic.size()), std::as_bytes(std::span(magic)));
}

std::string lower_extension(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension;
}

Result<void> refuse_foreign(std::span<const std::byte> head, std::span<const std::byte> footer) {
  const auto found = std::ranges::find_if(foreigners, [&](const Foreign& foreign) {
    return lies_at(foreign.where == Foreign::Where::head ? head : footer, foreign.offset, foreign.magic);
  });
  if (found == std::end(foreigners)) return {};
  return fail(EOPNOTSUPP, "the format {} is not supported; {}", found->name, found->hint);
}

Result<void> refuse_broken_promise(const std::string& extension) {
  const auto found = std::ranges::find(promises, extension, &Promise::extension);
  if (found == std::end(promises)) return {};
  return fail(EINVAL, "named {} but without the magic number of {}; to read it as it is, give the format raw",
              extension, found->format);
}

}  // namespace

std::vector<std::string> image_formats() {
  std::vector<std::string> names;
  for (const ImageFormat& format : formats) names.emplace_back(format.name);
  return names;
}

const ImageFormat* find_format(std::string_view name) {
  const auto found = std::ranges::find(formats, name, &ImageFormat::name);
  return found == std::end(formats) ? nullptr : found;
}

Result<const ImageFormat*> probe_format(const Source& file, const std::filesystem::path& path,
                                        const Warn& warn) {
  Sector head{};
  Sector last{};
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(file.size(), head_size));
  TRY(read(file, 0, std::span(head).first(size)));
  TRY(read(file, file.size() - size, std::span(last).first(size)));
  const std::string extension = lower_extension(path);
  const auto found = std::ranges::find_if(
      formats, [&](const ImageFormat& format) { return format.recognise(std::span(head).first(size)); });
  if (found != std::end(formats) && extension == ".raw") {
    warn(fmt::format("begins like {} but is named .raw and read as raw; to read it as {}, give that format",
                     found->name, found->name));
    return find_format("raw");
  }
  if (found != std::end(formats)) return found;
  TRY(refuse_foreign(std::span(head).first(size), std::span(last).first(size)));
  TRY(refuse_broken_promise(extension));
  return find_format("raw");
}

}  // namespace vmfs
