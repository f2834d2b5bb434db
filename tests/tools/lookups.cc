// SPDX-License-Identifier: MIT
// What a lookup in a large directory costs.
//   lookups make DIRECTORY COUNT     fills a directory with COUNT names of one file: "name-0"...
//   lookups count IMAGE NAME COUNT   looks up 100 of them, spread, in directory NAME of the root of an image,
//                                    each from a cold start; prints the most metadata blocks that one has
//                                    read
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <unistd.h>

#include "formats/host_file.h"
#include "fs/registry.h"

namespace vmfs::tests {
namespace {

constexpr unsigned long samples = 100;

/// Counts what is asked of another source.
class Counter final : public Source {
 public:
  explicit Counter(std::shared_ptr<const Source> disk) : Source(disk->size()), disk_(std::move(disk)) {}
  [[nodiscard]] unsigned long reads() const { return reads_; }

 private:
  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override {
    ++reads_;
    return disk_->map(offset, max_length);
  }

  const std::shared_ptr<const Source> disk_;
  mutable std::atomic<unsigned long> reads_ = 0;
};

int make(const std::string& directory, unsigned long count) {
  const std::string first = directory + "/name-0";
  const int fd = ::open(first.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  bool good = fd >= 0 && ::close(fd) == 0;
  for (unsigned long i = 1; good && i < count; ++i) {
    good = ::link(first.c_str(), fmt::format("{}/name-{}", directory, i).c_str()) == 0;
  }
  if (!good) std::perror(directory.c_str());
  return good ? 0 : 1;
}

// Reads of a cold lookup, those of opening the file system and of the directory's inode taken off.
Result<unsigned long> count_one(const std::string& image, const std::string& name, unsigned long number) {
  auto counter = std::make_shared<Counter>(TRY(HostFile::open(image)));
  const auto filesystem = TRY(open_filesystem(counter, {}));
  const Inode directory = TRY(filesystem->lookup(filesystem->root(), name));
  static_cast<void>(TRY(filesystem->stat(directory)));
  const unsigned long before = counter->reads();
  static_cast<void>(TRY(filesystem->lookup(directory, fmt::format("name-{}", number))));
  return counter->reads() - before;
}

int count(const std::string& image, const std::string& name, unsigned long names) {
  unsigned long most = 0;
  for (unsigned long i = 0; i < samples; ++i) {
    const auto reads = count_one(image, name, names / samples * i);
    if (!reads) {
      fmt::print(stderr, "lookups: {}\n", reads.error().what);
      return 1;
    }
    most = std::max(most, *reads);
  }
  fmt::print("{}\n", most);
  return 0;
}

}  // namespace
}  // namespace vmfs::tests

// NOLINTNEXTLINE(bugprone-exception-escape): a test tool may end where there is no memory
int main(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  if (verb == "make" && argc == 4) return vmfs::tests::make(argv[2], std::strtoul(argv[3], nullptr, 10));
  if (verb == "count" && argc == 5)
    return vmfs::tests::count(argv[2], argv[3], std::strtoul(argv[4], nullptr, 10));
  fmt::print(stderr, "usage: lookups make DIRECTORY COUNT | lookups count IMAGE NAME COUNT\n");
  return 2;
}
