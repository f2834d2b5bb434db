// SPDX-License-Identifier: MIT
// The parts of a file system image that its reader looks at.
//   metadata print IMAGE               prints them as a SparseImage: the small images that fuzz targets start
//   from
//                                      and unit tests damage
//   metadata damage IMAGE COUNT SEED   changes COUNT bits of them, but none of the superblock
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <random>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/host_file.h"
#include "fs/registry.h"
#include "tests/tools/recorder.h"
#include "tests/tools/sparse_image.h"

namespace vmfs::tests {
namespace {

// Looks up where the first and the last byte are, which reads no more than the file's block map.
Result<void> map_ends(const Source& file) {
  if (file.size() == 0) return {};
  static_cast<void>(TRY(file.map(0, 1)));
  static_cast<void>(TRY(file.map(file.size() - 1, 1)));
  return {};
}

Result<void> walk(const Filesystem& filesystem, Inode directory, int depth) {
  struct Found {
    std::string name;
    Inode inode;
  };
  std::vector<Found> found;
  TRY(filesystem.list(directory, 0, [&](const DirectoryEntry& entry) {
    if (entry.name != "." && entry.name != "..") found.push_back({std::string(entry.name), entry.inode});
    return true;
  }));
  for (const auto& [name, inode] : found) {
    static_cast<void>(TRY(filesystem.lookup(directory, name)));
    const Attributes attributes = TRY(filesystem.stat(inode));
    for (const std::string& attribute : TRY(filesystem.xattr_names(inode)))
      static_cast<void>(TRY(filesystem.xattr(inode, attribute)));
    if (S_ISLNK(attributes.mode)) static_cast<void>(TRY(filesystem.readlink(inode)));
    if (S_ISREG(attributes.mode)) {
      const auto file = TRY(filesystem.open(inode));
      TRY(map_ends(*file));
    }
    if (S_ISDIR(attributes.mode) && depth < 16) TRY(walk(filesystem, inode, depth + 1));
  }
  return {};
}

// What is read of an image when all of it is walked.
Result<std::shared_ptr<const Recorder>> record(const char* path) {
  auto recorder = std::make_shared<Recorder>(TRY(HostFile::open(path)));
  const auto filesystem = TRY(open_filesystem(recorder, {}));
  TRY(walk(*filesystem, filesystem->root(), 0));
  return recorder;
}

Result<void> print(const char* path) {
  const auto recorder = TRY(record(path));
  const auto bytes = TRY(SparseImage::encode(*recorder, recorder->parts()));
  std::fwrite(bytes.data(), 1, bytes.size(), stdout);
  return {};
}

// Changes a bit among the bytes of `parts`, wherever it is not zero all around.
Result<void> damage_one(const Source& disk, const std::vector<std::pair<std::uint64_t, std::uint64_t>>& parts,
                        std::mt19937& random, int fd) {
  constexpr std::size_t neighbourhood = 16;
  for (int attempt = 0; attempt < 10000; ++attempt) {
    const auto& [start, length] = parts[random() % parts.size()];
    const std::uint64_t offset = start + random() % (length - neighbourhood + 1);
    std::array<std::byte, neighbourhood> bytes{};
    TRY(read(disk, offset, bytes));
    if (std::ranges::count(bytes, std::byte{}) > 8) continue;
    const std::byte changed = bytes[0] ^ std::byte(1U << random() % 8);
    if (::pwrite(fd, &changed, 1, static_cast<off_t>(offset)) != 1) return fail(errno, "cannot write");
    return {};
  }
  return fail(ENODATA, "nothing to damage");
}

Result<void> damage(const char* path, unsigned long count, unsigned long seed) {
  constexpr std::uint64_t superblock_end = 4096;
  const auto recorder = TRY(record(path));
  std::vector<std::pair<std::uint64_t, std::uint64_t>> parts;
  for (const auto& part : recorder->parts()) {
    if (part.first >= superblock_end && part.second >= 512) parts.push_back(part);
  }
  std::mt19937 random(static_cast<std::uint32_t>(seed));
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return fail(errno, "{}: cannot be written", path);
  for (unsigned long i = 0; i < count; ++i) {
    if (auto done = damage_one(*recorder, parts, random, fd); !done) return done;
  }
  ::close(fd);
  return {};
}

Result<void> run(const std::vector<const char*>& arguments) {
  const std::string_view verb = arguments.size() > 2 ? arguments[1] : "";
  if (verb == "print" && arguments.size() == 3) return print(arguments[2]);
  if (verb == "damage" && arguments.size() == 5)
    return damage(arguments[2], std::strtoul(arguments[3], nullptr, 10),
                  std::strtoul(arguments[4], nullptr, 10));
  return fail(EINVAL, "usage: metadata print IMAGE | metadata damage IMAGE COUNT SEED");
}

}  // namespace
}  // namespace vmfs::tests

// NOLINTNEXTLINE(bugprone-exception-escape): a test tool may end where there is no memory
int main(int argc, char** argv) {
  const auto done = vmfs::tests::run({argv, argv + argc});
  if (!done) fmt::print(stderr, "metadata: {}\n", done.error().what);
  return done ? 0 : 1;
}
