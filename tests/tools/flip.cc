// SPDX-License-Identifier: MIT
// Damages images and looks at all of each: opens it, reads its partition table, walks every file system,
// reads every file. Any error is right but a crash, ten seconds without an end, or more than 512 MiB of
// memory.
//   flip COUNT SEED IMAGE...    COUNT variants, the images in turn; the same SEED gives the same variants
// Prints how far variants came. Exit status 0; 1 where one hung, another where one crashed: its line is the
// last.
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <random>
#include <set>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/host_file.h"
#include "formats/image_format.h"
#include "fs/guest/guest.h"
#include "fs/xfs/xfs.h"
#include "launcher/sandbox/filter.h"
#include "tests/tools/recorder.h"

namespace vmfs::tests {
namespace {

constexpr unsigned patience_seconds = 10;
constexpr std::uint64_t most_memory = std::uint64_t{512} << 20;
// A variant may say that one block is the contents of a very large file.
constexpr std::uint64_t most_read = std::uint64_t{32} << 20;

/// A byte changed.
using Flips = std::map<std::uint64_t, std::byte>;

/// A file with some bytes changed.
class FlippedSource final : public Source {
 public:
  FlippedSource(std::shared_ptr<const Source> file, Flips flips)
      : Source(file->size()), file_(std::move(file)), flips_(std::move(flips)) {}

 private:
  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override {
    const auto next = flips_.lower_bound(offset);
    if (next == flips_.end()) return file_->map(offset, max_length);
    if (next->first == offset) return Extent::encoded(*this, offset, 1);
    return file_->map(offset, std::min(max_length, next->first - offset));
  }

  [[nodiscard]] Result<void> do_decode(std::uint64_t offset, std::span<std::byte> into) const override {
    into[0] = flips_.at(offset);
    return {};
  }

  const std::shared_ptr<const Source> file_;
  const Flips flips_;
};

/// An image stands alone here.
class NoReferences final : public References {
 public:
  Result<Image> backing(const std::string& name, const std::string& /*format*/) override {
    return fail(ENOENT, "{}: no backing file here", name);
  }
  Result<std::shared_ptr<const Source>> data_file(const std::string& name) override {
    return fail(ENOENT, "{}: no data file here", name);
  }
};

/// What came of a variant.
struct Reached {
  bool image = false;
  std::size_t filesystems = 0;
  std::size_t entries = 0;
  std::size_t errors = 0;
};

class Visitor {
 public:
  Visitor(const Filesystem& filesystem, Reached& reached, bool contents)
      : filesystem_(filesystem), reached_(reached), contents_(contents) {}

  void walk() {
    note(filesystem_.usage());
    std::deque<Inode> waiting{filesystem_.root()};
    std::set<Inode> seen{filesystem_.root()};
    while (!waiting.empty()) {
      const Inode directory = waiting.front();
      waiting.pop_front();
      std::vector<std::pair<std::string, Inode>> entries;
      note(filesystem_.list(directory, 0, [&](const DirectoryEntry& entry) {
        entries.emplace_back(entry.name, entry.inode);
        return true;
      }));
      for (const auto& [name, inode] : entries) {
        ++reached_.entries;
        note(filesystem_.lookup(directory, name));
        if (!seen.insert(inode).second) continue;
        if (visit(inode)) waiting.push_back(inode);
      }
    }
  }

 private:
  template <class T>
  void note(const Result<T>& result) {
    if (!result) ++reached_.errors;
  }

  /// Whether there is, or could be, something below.
  bool visit(Inode inode) {
    if (const auto names = filesystem_.xattr_names(inode)) {
      for (const std::string& name : *names) note(filesystem_.xattr(inode, name));
    }
    const auto attributes = filesystem_.stat(inode);
    note(attributes);
    if (!attributes) return true;
    if (S_ISLNK(attributes->mode)) note(filesystem_.readlink(inode));
    if (!S_ISREG(attributes->mode)) return S_ISDIR(attributes->mode);
    const auto file = filesystem_.open(inode);
    note(file);
    if (file) note(read_all(**file));
    return false;
  }

  Result<void> read_all(const Source& file) {
    static std::vector<std::byte> buffer(std::size_t{1} << 20);
    for (std::uint64_t offset = 0; offset < file.size() && read_ < most_read;) {
      const Extent extent = TRY(file.map(offset, file.size() - offset));
      std::uint64_t length = extent.length;
      if (contents_ && extent.kind != Extent::Kind::zero) {
        length = std::min<std::uint64_t>(length, buffer.size());
        TRY(read(file, offset, std::span(buffer).first(static_cast<std::size_t>(length))));
        read_ += length;
      }
      read_ += 64;
      offset += length;
    }
    return {};
  }

  const Filesystem& filesystem_;
  Reached& reached_;
  const bool contents_;
  std::uint64_t read_ = 0;
};

/// Looks at everything; `contents`: reads what is in files too.
Reached look(const std::shared_ptr<const Source>& file, const std::string& path, bool contents) {
  Reached reached;
  NoReferences references;
  const auto format = probe_format(*file, path, [](const std::string&) {});
  if (!format) return reached;
  const auto image = (*format)->open({.file = file, .references = references});
  if (!image) return reached;
  reached.image = true;
  const auto disk = open_disk(image->disk, {});
  if (!disk) return reached;
  for (const Volume& volume : disk->volumes) {
    std::shared_ptr<const Filesystem> filesystem = volume.filesystem;
    // Behind checksums hardly any change is seen by more than these.
    if (volume.identity && volume.identity->type == "xfs" && contents) {
      if (const auto lenient = open_xfs_without_checksums(volume.source, {})) filesystem = *lenient;
    }
    if (!filesystem) continue;
    ++reached.filesystems;
    (void)find_operating_system(*filesystem);
    Visitor(*filesystem, reached, contents).walk();
  }
  (void)choose_volume(*disk, "", [](const std::string&) {});
  return reached;
}

/// An image and where in it there is anything to change.
struct Victim {
  std::string path;
  std::shared_ptr<const Source> file;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> parts;  ///< offset and length
};

Result<Victim> prepare(const std::string& path) {
  Victim victim{.path = path, .file = TRY(HostFile::open(path)), .parts = {}};
  const auto recorder = std::make_shared<Recorder>(victim.file);
  const Reached reached = look(recorder, path, false);
  if (!reached.image) return fail(EINVAL, "{}: cannot be opened even undamaged", path);
  for (const auto& [offset, length] : recorder->parts()) {
    if (offset < victim.file->size())
      victim.parts.emplace_back(offset, std::min(length, victim.file->size() - offset));
  }
  return victim;
}

class Damage {
 public:
  Damage(const Victim& victim, std::uint32_t seed) : victim_(victim), random_(seed) {}

  Flips make() {
    const std::size_t places = std::size_t{1} << random_() % 5;
    for (std::size_t i = 0; i < places; ++i) change(place());
    return std::move(flips_);
  }

 private:
  // Small structures are as likely to be hit as large ones.
  std::uint64_t place() {
    for (int attempt = 0;; ++attempt) {
      const auto& [offset, length] = victim_.parts[random_() % victim_.parts.size()];
      // The start of a structure says what it is.
      const std::uint64_t at = offset + (random_() % 4 == 0 ? random_() % std::min<std::uint64_t>(length, 128)
                                                            : random_() % length);
      if (attempt == 8 || byte(at) != std::byte{} || random_() % 8 == 0) return at;
    }
  }

  std::byte byte(std::uint64_t at) const {
    std::byte value{};
    (void)read(*victim_.file, at, std::span(&value, 1));
    return value;
  }

  void change(std::uint64_t at) {
    static constexpr std::array<unsigned, 6> odd = {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff};
    const std::size_t width = std::size_t{1} << random_() % 4;
    const unsigned how = random_() % 4;
    const std::uint64_t from = place();
    const auto value = static_cast<std::byte>(odd[random_() % odd.size()]);
    for (std::size_t i = 0; i < (how == 0 ? 1 : width); ++i) {
      if (at + i >= victim_.file->size()) return;
      flips_[at + i] = how == 0   ? byte(at) ^ std::byte(1U << random_() % 8)
                       : how == 1 ? static_cast<std::byte>(random_())
                       : how == 2 ? value
                                  : byte(std::min(from + i, victim_.file->size() - 1));
    }
  }

  const Victim& victim_;
  std::mt19937 random_;
  Flips flips_;
};

std::array<char, 512> current;

void say_current(const char* what) {
  const std::string_view line = current.data();
  (void)!::write(STDERR_FILENO, what, std::string_view(what).size());
  (void)!::write(STDERR_FILENO, line.data(), line.size());
}

void hung(int /*signal*/) {
  say_current("hung: ");
  ::_exit(1);
}

void crashed(int signal) {
  say_current("crashed: ");
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

void watch_for_ends() {
  ::signal(SIGALRM, hung);
  // A sanitizer says more by itself.
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) ::signal(signal, crashed);
  if constexpr (!VMFS_HAS_SANITIZER) {
    const rlimit memory{.rlim_cur = most_memory, .rlim_max = most_memory};
    (void)::setrlimit(RLIMIT_AS, &memory);
  }
}

int run(unsigned long count, unsigned long seed, const std::vector<std::string>& paths) {
  std::vector<Victim> victims;
  for (const std::string& path : paths) {
    auto victim = prepare(path);
    if (!victim) {
      fmt::print(stderr, "flip: {}\n", victim.error().what);
      return 2;
    }
    victims.push_back(*std::move(victim));
  }
  watch_for_ends();
  Reached total;
  std::size_t opened = 0;
  for (unsigned long i = 0; i < count; ++i) {
    const Victim& victim = victims[i % victims.size()];
    const auto number = static_cast<std::uint32_t>(seed + i);
    fmt::format_to_n(current.data(), current.size() - 1, "flip 1 {} {}\n{}", number, victim.path, '\0');
    ::alarm(patience_seconds);
    const Reached reached =
        look(std::make_shared<FlippedSource>(victim.file, Damage(victim, number).make()), victim.path, true);
    ::alarm(0);
    opened += reached.image ? 1 : 0;
    total.filesystems += reached.filesystems;
    total.entries += reached.entries;
    total.errors += reached.errors;
  }
  fmt::print("{} variants: {} images opened, {} file systems, {} entries, {} errors\n", count, opened,
             total.filesystems, total.entries, total.errors);
  return 0;
}

}  // namespace
}  // namespace vmfs::tests

// NOLINTNEXTLINE(bugprone-exception-escape): a test tool may end where there is no memory
int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: flip COUNT SEED IMAGE...\n", stderr);
    return 2;
  }
  return vmfs::tests::run(std::strtoul(argv[1], nullptr, 10), std::strtoul(argv[2], nullptr, 10),
                          {argv + 3, argv + argc});
}
