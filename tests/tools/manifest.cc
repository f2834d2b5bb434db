// SPDX-License-Identifier: MIT
// Prints what there is to know of every file of a tree, one line each, the same whether the kernel shows the
// tree (`dir`) or our own readers do (`image`): what differs between the two outputs is a bug.
// Columns, separated by tabs; every byte of a name outside 0x21-0x7e, and '%', is %XX:
//   path    relative to the root, which is "."
//   type    f d l c b p s
//   mode    octal permission bits; uid, gid, size, nlink, ino; mtime as seconds.nanoseconds
//   data    f: sha256 of the content; above 256 MiB "nz4k:" and the sha256 over number (u64, little endian)
//           and content of each 4 KiB block that is not all zero; l: target; c, b: major:minor; else -
//   xattrs  name=hex,... sorted by name, or -
// and with --full: atime ctime btime blocks rdev dirent (inode:DT_* as the directory lists it) and map (the
// runs of 4 KiB blocks that are no hole). An error is "ERR:errno" in the place of the value.
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <unordered_set>

#include <CLI/CLI.hpp>
#include <openssl/evp.h>
#include <sys/resource.h>

#include "formats/image.h"
#include "formats/partition/partition_table.h"
#include "fs/guest/assemble.h"
#include "fs/registry.h"
#include "tests/tools/image_tree.h"
#include "tests/tools/kernel_tree.h"

namespace vmfs::tests {
namespace {

constexpr std::uint64_t big_file = std::uint64_t{256} << 20;
constexpr std::size_t buffer_size = std::size_t{1} << 20;
constexpr std::size_t max_depth = 4096;

std::string escape(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte >= 0x21 && byte <= 0x7e && byte != '%') {
      out += letter;
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

std::string hexadecimal(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char letter : bytes) {
    const auto byte = static_cast<unsigned char>(letter);
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

std::string error_value(const Error& error) {
  return fmt::format("ERR:{}", error.code);
}

class Sha256 {
 public:
  Sha256() { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(std::span<const std::byte> bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string finish() {
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned length = 0;
    // The library's type for bytes is unsigned char.
    EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), &length);
    digest.resize(length);
    return hexadecimal(digest);
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

std::vector<std::byte>& buffer() {
  static std::vector<std::byte> bytes(buffer_size);
  return bytes;
}

Result<std::string> hash_all(Content& content) {
  Sha256 hash;
  for (std::uint64_t offset = 0;; offset += buffer_size) {
    const std::size_t got = TRY(content.read(offset, buffer()));
    hash.add(std::span(buffer()).first(got));
    if (got < buffer_size) return hash.finish();
  }
}

void hash_nonzero_granules(Sha256& hash, std::uint64_t first, std::span<std::byte> bytes) {
  for (; !bytes.empty(); bytes = bytes.subspan(granule), ++first) {
    const auto block = bytes.first(granule);
    if (std::ranges::all_of(block, [](std::byte byte) { return byte == std::byte{}; })) continue;
    const le64 number = first;
    hash.add(std::as_bytes(std::span(&number, 1)));
    hash.add(block);
  }
}

Result<std::string> hash_sparse(Content& content, const std::vector<Run>& runs) {
  Sha256 hash;
  for (const Run& run : runs) {
    for (std::uint64_t at = run.first; at < run.end; at += buffer_size / granule) {
      const std::uint64_t length = std::min<std::uint64_t>(buffer_size, (run.end - at) * granule);
      const auto bytes = std::span(buffer()).first(length);
      const std::size_t got = TRY(content.read(at * granule, bytes));
      std::ranges::fill(bytes.subspan(got), std::byte{});
      hash_nonzero_granules(hash, at, bytes);
    }
  }
  return "nz4k:" + hash.finish();
}

std::string map_value(const std::vector<Run>& runs) {
  constexpr std::size_t max_shown = 64;
  std::string all;
  for (const Run& run : runs) {
    all += fmt::format("{}{}-{}", all.empty() ? "" : ",", run.first, run.end);
  }
  if (all.empty()) return "-";
  if (runs.size() <= max_shown) return all;
  Sha256 hash;
  hash.add(std::as_bytes(std::span(all)));
  return fmt::format("{}:{}", runs.size(), hash.finish());
}

struct FileValues {
  std::string data;
  std::string map = "-";
};

FileValues file_values(Node& node, std::uint64_t size, bool with_map) {
  auto content = node.open();
  if (!content) return {.data = error_value(content.error())};
  FileValues values;
  std::vector<Run> runs;
  if (with_map || size > big_file) {
    auto found = (*content)->data_runs();
    if (!found && size > big_file) return {.data = error_value(found.error())};
    values.map = found ? map_value(*found) : error_value(found.error());
    if (found) runs = *std::move(found);
  }
  auto hash = size > big_file ? hash_sparse(**content, runs) : hash_all(**content);
  values.data = hash ? *std::move(hash) : error_value(hash.error());
  return values;
}

std::string xattrs_value(Node& node) {
  auto names = node.xattr_names();
  if (!names) return error_value(names.error());
  std::ranges::sort(*names);
  std::string out;
  for (const std::string& name : *names) {
    const auto value = node.xattr(name);
    out += fmt::format("{}{}={}", out.empty() ? "" : ",", escape(name),
                       value ? hexadecimal(*value) : error_value(value.error()));
  }
  return out.empty() ? "-" : out;
}

std::string time_value(const timespec& time) {
  return fmt::format("{}.{:09}", time.tv_sec, time.tv_nsec);
}

char type_letter(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return 'f';
    case S_IFDIR:
      return 'd';
    case S_IFLNK:
      return 'l';
    case S_IFCHR:
      return 'c';
    case S_IFBLK:
      return 'b';
    case S_IFIFO:
      return 'p';
    case S_IFSOCK:
      return 's';
    default:
      return '?';
  }
}

FileValues data_values(Node& node, const Attributes& found, bool full) {
  switch (found.mode & S_IFMT) {
    case S_IFREG:
      return file_values(node, found.size, full);
    case S_IFLNK: {
      const auto target = node.readlink();
      return {.data = target ? escape(*target) : error_value(target.error())};
    }
    case S_IFCHR:
    case S_IFBLK:
      return {.data = fmt::format("{}:{}", major(found.device), minor(found.device))};
    default:
      return {.data = "-"};
  }
}

/// Prints a tree in order of the names' bytes, a directory before what is in it.
class Walk {
 public:
  explicit Walk(bool full) : full_(full) {}

  void header(Node& root) {
    if (full_) {
      const auto space = root.space();
      if (space) {
        fmt::print("# statfs: {} {} {} {} {} {} {}\n", space->block_size, space->blocks, space->blocks_free,
                   space->blocks_available, space->files, space->files_free, space->name_max);
      } else {
        fmt::print("# statfs: {}\n", error_value(space.error()));
      }
    }
    fmt::print("path\ttype\tmode\tuid\tgid\tsize\tnlink\tino\tmtime\tdata\txattrs{}\n",
               full_ ? "\tatime\tctime\tbtime\tblocks\trdev\tdirent\tmap" : "");
  }

  void visit(Node& node, const Node* parent, const std::string& path, const Child& listed,
             std::size_t depth) {
    const auto found = node.stat();
    if (!found) {
      fmt::print("{}\t?\t-\t-\t-\t-\t-\t-\t-\t{}\t-\n", escape(path), error_value(found.error()));
      return;
    }
    row(node, path, listed, *found);
    // A damaged tree may hold itself: each directory is entered once.
    if (!S_ISDIR(found->mode) || depth > max_depth) return;
    if (parent != nullptr && !node.same_filesystem(*parent)) return;
    if (entered_.insert(found->inode).second) descend(node, path, depth);
  }

 private:
  void row(Node& node, const std::string& path, const Child& listed, const Attributes& found) {
    const FileValues values = data_values(node, found, full_);
    fmt::print("{}\t{}\t{:04o}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}", escape(path), type_letter(found.mode),
               found.mode & 07777U, found.uid, found.gid, found.size, found.links,
               static_cast<std::uint64_t>(found.inode), time_value(found.modified), values.data,
               xattrs_value(node));
    if (full_) {
      const bool born = found.born.tv_sec != 0 || found.born.tv_nsec != 0;
      fmt::print("\t{}\t{}\t{}\t{}\t{}:{}\t{}:{}\t{}", time_value(found.accessed), time_value(found.changed),
                 born ? time_value(found.born) : "-", found.blocks, major(found.device), minor(found.device),
                 listed.inode, listed.type, values.map);
    }
    fmt::print("\n");
  }

  void descend(Node& node, const std::string& path, std::size_t depth) {
    std::vector<Child> children;
    const auto listing = node.list(children);
    if (!listing) fmt::print("# listdir {}: errno {}\n", escape(path), listing.error().code);
    std::ranges::sort(children, {}, &Child::name);
    for (const Child& child : children) {
      auto below = node.child(child.name);
      const std::string name = path == "." ? child.name : path + "/" + child.name;
      if (!below) {
        fmt::print("{}\t?\t-\t-\t-\t-\t-\t-\t-\t{}\t-\n", escape(name), error_value(below.error()));
        continue;
      }
      visit(**below, &node, name, child, depth + 1);
    }
  }

  const bool full_;
  std::unordered_set<Inode> entered_;
};

struct Settings {
  std::string path;
  std::string partition;
  std::vector<std::string> added;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  bool full = false;
  bool no_recovery = false;
  std::string volume;
  bool guest = false;
  OpenOptions image;
};

Result<std::shared_ptr<const Source>> wanted_volume(const Image& image, const Settings& settings) {
  if (!settings.partition.empty()) {
    const auto table = TRY(read_partition_table(*image.disk, settings.image.warn));
    if (!table) return fail(ENOENT, "{}: no partition table", settings.path);
    for (const Partition& partition : table->partitions) {
      if (fmt::format("{}", partition.number) == settings.partition) {
        return SubSource::create(image.disk, partition.offset, partition.size);
      }
    }
    return fail(ENOENT, "{}: no partition {}", settings.path, settings.partition);
  }
  if (settings.offset == 0 && settings.size == 0) return image.disk;
  if (settings.offset > image.disk->size()) return fail(EINVAL, "--offset lies behind the end");
  const std::uint64_t rest = image.disk->size() - settings.offset;
  return SubSource::create(image.disk, settings.offset,
                           settings.size == 0 ? rest : std::min(settings.size, rest));
}

Result<std::unique_ptr<Node>> open_image_tree(const Settings& settings) {
  const Image image = TRY(open_image(settings.path, settings.image));
  const FilesystemOptions options{.recover = !settings.no_recovery, .warn = settings.image.warn};
  if (settings.guest || !settings.volume.empty()) {
    std::vector<std::shared_ptr<const Source>> disks{image.disk};
    for (const std::string& path : settings.added)
      disks.push_back(TRY(open_image(path, settings.image)).disk);
    const Disk disk = TRY(open_disks(disks, options));
    auto tree = settings.guest ? TRY(open_guest(disk, settings.partition, options)).tree
                               : TRY(choose_volume(disk, settings.volume, options.warn))->filesystem;
    const Inode root = tree->root();
    return std::make_unique<ImageNode>(std::move(tree), root);
  }
  auto volume = TRY(wanted_volume(image, settings));
  auto filesystem = TRY(open_filesystem(std::move(volume), options));
  const Inode root = filesystem->root();
  return std::make_unique<ImageNode>(std::move(filesystem), root);
}

int print_tree(Result<std::unique_ptr<Node>> root, bool full) {
  if (!root) {
    fmt::print(stderr, "manifest: {} (errno {})\n", root.error().what, root.error().code);
    return 1;
  }
  Walk walk(full);
  walk.header(**root);
  walk.visit(**root, nullptr, ".", {}, 0);
  return std::fflush(stdout) == 0 ? 0 : 1;
}

}  // namespace
}  // namespace vmfs::tests

// NOLINTNEXTLINE(bugprone-exception-escape): a test tool may end where there is no memory
int main(int argc, char** argv) {
  using namespace vmfs::tests;
  Settings settings;
  settings.image.warn = [](const std::string& line) { fmt::print(stderr, "manifest: {}\n", line); };
  CLI::App app("prints a tree for comparison");
  app.require_subcommand(1);
  auto* directory = app.add_subcommand("dir", "a mounted directory, by system calls");
  auto* image = app.add_subcommand("image", "an image, by our own readers");
  for (auto* command : {directory, image}) {
    command->add_option("path", settings.path)->required();
    command->add_flag("--full", settings.full, "all columns");
  }
  image->add_option("--partition", settings.partition, "number of the partition");
  image->add_option("--offset", settings.offset, "bytes from the start of the disk to the volume");
  image->add_option("--size", settings.size, "bytes of the volume");
  image->add_option("--format", settings.image.format, "format of the image");
  image->add_option("--snapshot", settings.image.snapshot, "internal snapshot");
  image->add_option("--add", settings.added, "further disk of the guest")->allow_extra_args(false);
  image->add_flag("--guest", settings.guest, "the whole tree of the guest, as its fstab has it");
  image->add_option("--volume", settings.volume, "one volume, as `vmfs mount --partition` calls it");
  image->add_flag("--norecovery", settings.no_recovery, "replay no journal");
  CLI11_PARSE(app, argc, argv);

  rlimit files{};  // a descriptor for each level of the tree
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &files);
  }
  if (directory->parsed()) return print_tree(open_kernel_tree(settings.path), settings.full);
  return print_tree(open_image_tree(settings), settings.full);
}
