// SPDX-License-Identifier: MIT
// Shows what the guest sees of a disk image:
//   imgdump [OPTIONS] IMAGE          the bytes, on standard output
//   imgdump [OPTIONS] --map IMAGE    where they live, a JSON object a line
//   imgdump [OPTIONS] --info IMAGE   what is said of the image, as JSON
//   imgdump [OPTIONS] --time IMAGE   how long map() and a sequential read take
// With --volume NAME all this is said of that volume of the image, with --volumes the volumes are listed:
// name, bytes, and "-" or why it cannot be read. Exit status: 0, or 1 with the error on standard error as
// "errno-name: text".
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <vector>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "formats/image.h"
#include "fs/guest/guest.h"

namespace vmfs {
namespace {

constexpr std::uint64_t chunk_size = 128 << 10;

int report(const Error& error) {
  fmt::print(stderr, "{}: {}\n", ::strerrorname_np(error.code), error.what);
  return 1;
}

Result<void> dump(const Source& disk) {
  std::vector<std::byte> chunk(chunk_size);
  for (std::uint64_t offset = 0; offset < disk.size(); offset += chunk.size()) {
    const auto part = std::span(chunk).first(std::min<std::uint64_t>(chunk.size(), disk.size() - offset));
    TRY(read(disk, offset, part));
    if (std::fwrite(part.data(), 1, part.size(), stdout) != part.size()) return fail(EIO, "standard output");
  }
  return {};
}

Result<void> show_map(const Source& disk) {
  for (std::uint64_t offset = 0; offset < disk.size();) {
    const Extent extent = TRY(disk.map(offset, disk.size() - offset));
    const char* kind = "zero";
    if (extent.kind == Extent::Kind::encoded) kind = "encoded";
    nlohmann::json line{{"start", offset}, {"length", extent.length}, {"kind", kind}};
    if (extent.kind == Extent::Kind::data) {
      line["kind"] = "data";
      line["offset"] = extent.offset;
    }
    fmt::print("{}\n", line.dump());
    offset += extent.length;
  }
  return {};
}

nlohmann::json to_json(const ImageInfo& info) {
  nlohmann::json out{{"format", info.format},
                     {"path", info.path},
                     {"virtual-size", info.virtual_size},
                     {"file-size", info.file_size},
                     {"dirty", info.dirty},
                     {"corrupt", info.corrupt},
                     {"data-file", info.data_file},
                     {"details", nlohmann::json::object()},
                     {"snapshots", nlohmann::json::array()}};
  for (const auto& [name, value] : info.details) out["details"][name] = value;
  for (const auto& snapshot : info.snapshots)
    out["snapshots"].push_back({{"id", snapshot.id}, {"name", snapshot.name}, {"size", snapshot.size}});
  if (info.backing) out["backing"] = to_json(*info.backing);
  return out;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Result<void> measure(const Source& disk) {
  constexpr int rounds = 1'000'000;
  std::vector<std::uint64_t> offsets(4096);
  std::uint64_t random = 1;
  for (auto& offset : offsets) {
    random = random * 6364136223846793005 + 1442695040888963407;
    offset = (random >> 16) % disk.size() / 4096 * 4096;
  }
  for (const auto offset : offsets) TRY(disk.map(offset, 4096));
  auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < rounds; ++i) TRY(disk.map(offsets[static_cast<std::size_t>(i) % offsets.size()], 4096));
  fmt::print("map of 4 KiB, cached: {:.1f} ns\n", seconds_since(start) / rounds * 1e9);

  std::vector<std::byte> chunk(chunk_size);
  start = std::chrono::steady_clock::now();
  for (std::uint64_t offset = 0; offset < disk.size(); offset += chunk.size())
    TRY(read(disk, offset,
             std::span(chunk).first(std::min<std::uint64_t>(chunk.size(), disk.size() - offset))));
  const double time = seconds_since(start);
  fmt::print("sequential read: {:.0f} MB/s\n", static_cast<double>(disk.size()) / time / 1e6);
  return {};
}

Result<Disk> find_volumes(const Image& image, const std::vector<std::string>& added,
                          const OpenOptions& options) {
  std::vector<std::shared_ptr<const Source>> disks{image.disk};
  for (const std::string& path : added) disks.push_back(TRY(open_image(path, options)).disk);
  return open_disks(disks, {.recover = false, .warn = options.warn});
}

void list_volumes(const Disk& disk) {
  for (const Volume& volume : disk.volumes) {
    const bool unreadable =
        volume.logical && !volume.identity && volume.error && volume.error->code != EINVAL;
    fmt::print("{} {} {}\n", volume.name, volume.source->size(), unreadable ? volume.error->what : "-");
  }
}

int run(int argc, char** argv) {
  CLI::App app("Shows what the guest sees of a disk image");
  std::string path;
  std::string directory;
  OpenOptions options;
  bool map = false;
  bool info = false;
  bool time = false;
  bool no_backing = false;
  bool volumes = false;
  std::string volume;
  std::vector<std::string> added;
  app.add_option("image", path)->required();
  app.add_option("--format", options.format);
  app.add_option("--snapshot", options.snapshot);
  app.add_option("--password", options.password);
  app.add_option("--backing-dir", directory);
  app.add_flag("--no-backing", no_backing);
  app.add_flag("--map", map);
  app.add_flag("--info", info);
  app.add_flag("--time", time);
  app.add_flag("--volumes", volumes);
  app.add_option("--volume", volume);
  app.add_option("--add", added)->allow_extra_args(false);
  CLI11_PARSE(app, argc, argv);
  options.backing.follow = !no_backing;
  if (!directory.empty()) options.backing.directory = directory;
  options.warn = [](const std::string& text) { fmt::print(stderr, "warning: {}\n", text); };

  const auto image = open_image(path, options);
  if (!image) return report(image.error());
  if (info) {
    fmt::print("{}\n", to_json(*image->info).dump());
    return 0;
  }
  const Source* source = image->disk.get();
  Result<Disk> disk;
  if (volumes || !volume.empty()) {
    disk = find_volumes(*image, added, options);
    if (!disk) return report(disk.error());
    if (volumes) {
      list_volumes(*disk);
      return 0;
    }
    const auto found = std::ranges::find(disk->volumes, volume, &Volume::name);
    if (found == disk->volumes.end()) return report({ENOENT, "no such volume"});
    source = found->source.get();
  }
  const auto done = map ? show_map(*source) : time ? measure(*source) : dump(*source);
  return done ? 0 : report(done.error());
}

}  // namespace
}  // namespace vmfs

int main(int argc, char** argv) {
  try {
    return vmfs::run(argc, argv);
  } catch (const std::exception& error) {
    std::fputs(error.what(), stderr);
    return 1;
  }
}
