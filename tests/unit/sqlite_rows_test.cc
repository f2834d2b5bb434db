// SPDX-License-Identifier: MIT
#include "fs/guest/sqlite_rows.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace vmfs {
namespace {

/// A database that sqlite3 made (tests/fuzz/sqlite_seeds.sh), to be damaged.
class SqliteDatabase {
 public:
  explicit SqliteDatabase(std::string_view name) {
    const char* const source = std::getenv("VMFS_SOURCE");
    if (source == nullptr) throw std::runtime_error("VMFS_SOURCE must name the folder of the sources");
    std::ifstream file(std::filesystem::path(source) / "tests/fuzz/corpus/sqlite" / name, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
  }

  /// Big-endian, of `width` bytes.
  SqliteDatabase& put(std::size_t offset, std::uint64_t value, std::size_t width) {
    for (std::size_t i = 0; i < width; ++i)
      bytes_.at(offset + i) = static_cast<char>(value >> 8 * (width - 1 - i));
    return *this;
  }

  SqliteDatabase& replace(std::string_view from, std::string_view to) {
    bytes_.replace(bytes_.find(from), from.size(), to);
    return *this;
  }

  SqliteDatabase& resize(std::size_t size) {
    bytes_.resize(size);
    return *this;
  }

  [[nodiscard]] std::size_t number_at(std::size_t offset) const {
    return std::size_t{static_cast<unsigned char>(bytes_.at(offset))} << 8 |
           static_cast<unsigned char>(bytes_.at(offset + 1));
  }

  /// Whether a length has a second byte.
  [[nodiscard]] bool is_long(std::size_t offset) const {
    return static_cast<unsigned char>(bytes_.at(offset)) >= 0x80;
  }

  /// The root page of a table: the number before the statement that made it.
  [[nodiscard]] std::size_t root_of(std::string_view statement) const {
    return static_cast<unsigned char>(bytes_.at(bytes_.find(statement) - 1));
  }

  [[nodiscard]] Result<std::uint64_t> count(std::string_view table = "Packages") const {
    const auto bytes = std::as_bytes(std::span(bytes_));
    return count_sqlite_rows(MemorySource(std::vector(bytes.begin(), bytes.end())), table);
  }
  [[nodiscard]] int error() const {
    const auto rows = count();
    return rows ? 0 : rows.error().code;
  }

 private:
  std::string bytes_;
};

constexpr std::string_view packages = "CREATE TABLE 'Packages'";
constexpr std::size_t page = 512;

TEST(SqliteRowsTest, RowsOfEveryShapeOfTableAreCounted) {
  EXPECT_EQ(SqliteDatabase("empty").count(), 0U);
  EXPECT_EQ(SqliteDatabase("leaf").count(), 5U);
  EXPECT_EQ(SqliteDatabase("tree").count(), 1000U);
  EXPECT_EQ(SqliteDatabase("overflow").count(), 12U);
  EXPECT_EQ(SqliteDatabase("wal").count(), 40U);
  EXPECT_EQ(SqliteDatabase("tables").count(), 3U);
}

TEST(SqliteRowsTest, OnlyATableOfThisNameCounts) {
  EXPECT_EQ(SqliteDatabase("leaf").count("Package").error().code, ENOENT);
  EXPECT_EQ(SqliteDatabase("leaf").count("Name_key_idx").error().code, ENOENT);  // an index
  EXPECT_EQ(SqliteDatabase("leaf").count("Name"), 0U);
}

TEST(SqliteRowsTest, WhatIsNoDatabaseIsDamaged) {
  EXPECT_EQ(SqliteDatabase("leaf").resize(0).error(), EUCLEAN);
  EXPECT_EQ(SqliteDatabase("leaf").resize(99).error(), EUCLEAN);
  EXPECT_EQ(SqliteDatabase("leaf").resize(page - 1).error(), EUCLEAN);
  EXPECT_EQ(SqliteDatabase("leaf").replace("SQLite", "sqlite").error(), EUCLEAN);
  EXPECT_EQ(SqliteDatabase("leaf").put(16, 0, 2).error(), EUCLEAN);
  EXPECT_EQ(SqliteDatabase("leaf").put(16, 256, 2).error(), EUCLEAN);
  EXPECT_EQ(SqliteDatabase("leaf").put(16, 513, 2).error(), EUCLEAN);
  EXPECT_EQ(SqliteDatabase("leaf").put(16, 1, 2).error(), EUCLEAN);  // 65536, more than there is
}

TEST(SqliteRowsTest, ATableOutsideOfTheFileIsDamaged) {
  SqliteDatabase database("leaf");
  const std::size_t root = database.root_of(packages);
  EXPECT_EQ(SqliteDatabase("leaf").resize((root - 1) * page).error(), EUCLEAN);
  EXPECT_EQ(database.put((root - 1) * page, 0x0a, 1).error(), EUCLEAN);  // a page of an index
}

TEST(SqliteRowsTest, MoreCellsThanAPageHoldsAreDamaged) {
  SqliteDatabase database("leaf");
  const std::size_t root = (database.root_of(packages) - 1) * page;
  EXPECT_EQ(database.put(root + 3, (page - 8) / 2, 2).count(), (page - 8) / 2);
  EXPECT_EQ(database.put(root + 3, (page - 8) / 2 + 1, 2).error(), EUCLEAN);
}

TEST(SqliteRowsTest, ATreeThatHoldsItselfIsDamaged) {
  SqliteDatabase database("tree");
  const std::size_t root = database.root_of(packages);
  EXPECT_EQ(database.put((root - 1) * page + 8, root, 4).error(), EUCLEAN);
  EXPECT_EQ(database.put((root - 1) * page + 8, 0, 4).error(), EUCLEAN);
}

TEST(SqliteRowsTest, ACellOutsideOfItsPageIsDamaged) {
  SqliteDatabase database("tree");
  const std::size_t root = (database.root_of(packages) - 1) * page;
  EXPECT_EQ(database.put(root + 12, page - 3, 2).error(), EUCLEAN);
}

TEST(SqliteRowsTest, ARowOfTheSchemaThatIsCutOffNamesNoTable) {
  SqliteDatabase database("wal");  // whose schema is one page of 1024 bytes
  for (std::size_t cell = 108; cell < 116; cell += 2) database.put(cell, 1023, 2);
  EXPECT_EQ(database.error(), ENOENT);
}

TEST(SqliteRowsTest, AHeaderShorterThanItsLengthNamesNoTable) {
  // Page 1 of "wal" has four cells: the length of the row, its number, and the length of its header.
  SqliteDatabase database("wal");
  for (std::size_t cell = 0; cell < 4; ++cell) {
    const std::size_t at = database.number_at(108 + 2 * cell);
    const std::size_t header = at + (database.is_long(at) ? 3 : 2);
    database.put(header, 0, 1);
  }
  EXPECT_EQ(database.error(), ENOENT);
}

}  // namespace
}  // namespace vmfs
