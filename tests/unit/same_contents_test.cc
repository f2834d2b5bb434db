// SPDX-License-Identifier: MIT
#include "launcher/files/same_contents.h"

#include <algorithm>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace vmfs {
namespace {

constexpr std::uint64_t run = 3U << 20;

/// Runs in a row, each `run` bytes.
class Runs final : public Source {
 public:
  explicit Runs(std::vector<Extent> runs) : Source(runs.size() * run), runs_(std::move(runs)) {}

 private:
  [[nodiscard]] Result<Extent> do_map(std::uint64_t offset, std::uint64_t max_length) const override {
    Extent extent = runs_[static_cast<std::size_t>(offset / run)];
    extent.offset += offset % run;
    extent.length = std::min(max_length, run - offset % run);
    return extent;
  }

  const std::vector<Extent> runs_;
};

/// A host file of `letters`, each a run.
class LetterFile {
 public:
  explicit LetterFile(const std::string& letters) : fd_(::memfd_create("letters", MFD_CLOEXEC)) {
    for (std::size_t i = 0; i < letters.size(); ++i) {
      const std::string bytes(run, letters[i]);
      EXPECT_EQ(::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(i * run)),
                static_cast<ssize_t>(run));
    }
  }
  LetterFile(const LetterFile&) = delete;
  LetterFile& operator=(const LetterFile&) = delete;
  ~LetterFile() { ::close(fd_); }

  [[nodiscard]] Extent at(std::uint64_t index) const { return Extent::data(fd_, index * run, run); }
  /// The same file by another descriptor.
  [[nodiscard]] LetterFile again() const { return LetterFile(::dup(fd_)); }

 private:
  explicit LetterFile(int fd) : fd_(fd) {}

  const int fd_;
};

class ContentComparerTest : public ::testing::Test {
 protected:
  bool same(std::vector<Extent> a, std::vector<Extent> b) {
    const auto result = comparer_.same(Runs(std::move(a)), Runs(std::move(b)));
    EXPECT_TRUE(result) << result.error().what;
    return result && *result;
  }

  const LetterFile file_{"aba"};
  std::uint64_t ticks_ = 0;
  ContentComparer comparer_{[this](std::uint64_t bytes) { ticks_ += bytes; }};
};

TEST_F(ContentComparerTest, OnePlaceOfOneFileIsNotRead) {
  const LetterFile again = file_.again();
  EXPECT_TRUE(same({file_.at(0), file_.at(1)}, {again.at(0), again.at(1)}));
  EXPECT_EQ(comparer_.bytes_read(), 0U);
  EXPECT_EQ(ticks_, 2 * run);
}

TEST_F(ContentComparerTest, OtherPlacesAreRead) {
  EXPECT_TRUE(same({file_.at(0), file_.at(1)}, {file_.at(2), file_.at(1)}));
  EXPECT_EQ(comparer_.bytes_read(), run);
  EXPECT_FALSE(same({file_.at(1), file_.at(0)}, {file_.at(1), file_.at(1)}));
}

TEST_F(ContentComparerTest, OnePlaceOfAnotherFileIsRead) {
  const LetterFile other("bba");
  EXPECT_FALSE(same({file_.at(0)}, {other.at(0)}));
  EXPECT_TRUE(same({file_.at(1)}, {other.at(1)}));
}

TEST_F(ContentComparerTest, HolesAreZeros) {
  const LetterFile zeros(std::string(1, '\0'));
  EXPECT_TRUE(same({Extent::zero(run)}, {Extent::zero(run)}));
  EXPECT_EQ(comparer_.bytes_read(), 0U);
  EXPECT_TRUE(same({Extent::zero(run)}, {zeros.at(0)}));
  EXPECT_FALSE(same({Extent::zero(run)}, {file_.at(0)}));
}

TEST_F(ContentComparerTest, OtherSizesDifferUnread) {
  EXPECT_FALSE(same({file_.at(0)}, {file_.at(0), file_.at(1)}));
  EXPECT_EQ(comparer_.bytes_read(), 0U);
}

}  // namespace
}  // namespace vmfs
