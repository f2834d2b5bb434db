// SPDX-License-Identifier: MIT
#include "fs/guest/sqlite_rows.h"

#include <array>
#include <bit>
#include <cerrno>
#include <functional>
#include <optional>
#include <unordered_set>
#include <vector>

// https://www.sqlite.org/fileformat2.html
namespace vmfs {
namespace {

constexpr std::string_view magic{"SQLite format 3\0", 16};
constexpr std::size_t header_size = 100;
constexpr std::uint8_t interior_table_page = 0x05;
constexpr std::uint8_t leaf_table_page = 0x0d;
// Of pages visited: the leaves of a table have its rows' first bytes only.
constexpr std::size_t max_bytes = std::size_t{256} << 20;

struct PageHeader {
  std::uint8_t type;
  be16 first_freeblock;
  be16 cells;
  be16 content;
  std::uint8_t fragmented;
  be32 right_child;  ///< interior pages only
};
static_assert(sizeof(PageHeader) == 12);

using Bytes = std::span<const std::byte>;

/// A variable-length integer, taken from the front.
std::optional<std::uint64_t> take_varint(Bytes& bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < 9; ++i) {
    if (bytes.empty()) return std::nullopt;
    const auto byte = std::to_integer<std::uint64_t>(bytes.front());
    bytes = bytes.subspan(1);
    if (i == 8) return value << 8U | byte;
    value = value << 7U | (byte & 0x7fU);
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

/// How long a column of this serial type is.
std::uint64_t column_length(std::uint64_t type) {
  constexpr std::array<std::uint8_t, 12> fixed = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
  return type < fixed.size() ? fixed[static_cast<std::size_t>(type)] : (type - 12) / 2;
}

struct SchemaRow {
  std::string_view type;
  std::string_view name;
  std::uint64_t root_page = 0;
};

std::string_view text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The columns of a row of the schema that say which table begins where: type, name, tbl_name, rootpage.
std::optional<SchemaRow> parse_schema_row(Bytes cell) {
  if (!take_varint(cell) || !take_varint(cell)) return std::nullopt;  // payload length, row number
  Bytes header = cell;
  const auto header_length = take_varint(header);
  const std::size_t own_length = cell.size() - header.size();  // counts as well
  if (!header_length || *header_length < own_length || *header_length > cell.size()) return std::nullopt;
  Bytes body = cell.subspan(static_cast<std::size_t>(*header_length));
  header = header.first(header.size() - body.size());
  std::array<Bytes, 4> columns;
  for (Bytes& column : columns) {
    const auto type = take_varint(header);
    if (!type || column_length(*type) > body.size()) return std::nullopt;
    column = body.first(static_cast<std::size_t>(column_length(*type)));
    body = body.subspan(column.size());
  }
  SchemaRow row{.type = text(columns[0]), .name = text(columns[1])};
  for (const std::byte byte : columns[3])
    row.root_page = row.root_page << 8U | std::to_integer<std::uint64_t>(byte);
  return row;
}

class Database {
 public:
  static Result<Database> open(const Source& source) {
    std::array<std::byte, header_size> header;
    if (source.size() < header.size()) return fail(EUCLEAN, "sqlite: {} bytes", source.size());
    TRY(read(source, 0, header));
    if (text(Bytes(header).first(magic.size())) != magic) return fail(EUCLEAN, "sqlite: no database");
    std::uint32_t page_size = from_bytes<be16>(Bytes(header).subspan(16));
    if (page_size == 1) page_size = 65536;
    if (!std::has_single_bit(page_size) || page_size < 512)
      return fail(EUCLEAN, "sqlite: page size {}", page_size);
    return Database(source, page_size);
  }

  using LeafVisitor = std::function<void(Bytes page, std::size_t header, std::size_t cells)>;

  /// Visits the leaves of a table.
  Result<void> walk(std::uint64_t root, const LeafVisitor& visit) const {
    const std::size_t max_pages = max_bytes / page_size_;
    std::unordered_set<std::uint64_t> seen;
    std::vector<std::uint64_t> pending{root};
    std::vector<std::byte> page(page_size_);
    while (!pending.empty()) {
      const std::uint64_t number = pending.back();
      pending.pop_back();
      if (number == 0 || number > source_->size() / page_size_)
        return fail(EUCLEAN, "sqlite: page {}", number);
      if (!seen.insert(number).second) return fail(EUCLEAN, "sqlite: page {} is in its table twice", number);
      TRY(read(*source_, (number - 1) * page_size_, page));
      const std::size_t at = number == 1 ? header_size : 0;
      const auto header = from_bytes<PageHeader>(Bytes(page).subspan(at));
      const std::size_t cells = header.cells;
      const bool is_leaf = header.type == leaf_table_page;
      const std::size_t pointers = at + (is_leaf ? 8 : 12);
      if ((!is_leaf && header.type != interior_table_page) || cells > (page_size_ - pointers) / 2)
        return fail(EUCLEAN, "sqlite: page {}: type {}, {} cells", number, header.type, cells);
      if (is_leaf) {
        visit(page, pointers, cells);
        continue;
      }
      pending.push_back(header.right_child);
      for (std::size_t i = 0; i < cells; ++i) {
        const std::size_t cell = from_bytes<be16>(Bytes(page).subspan(pointers + 2 * i));
        if (cell > page_size_ - 4) return fail(EUCLEAN, "sqlite: page {}: a cell at {}", number, cell);
        pending.push_back(from_bytes<be32>(Bytes(page).subspan(cell)));
      }
      if (seen.size() + pending.size() > max_pages)
        return fail(EUCLEAN, "sqlite: more than {} pages", max_pages);
    }
    return {};
  }

 private:
  Database(const Source& source, std::uint32_t page_size) : source_(&source), page_size_(page_size) {}

  const Source* source_;
  std::size_t page_size_;
};

}  // namespace

Result<std::uint64_t> count_sqlite_rows(const Source& source, std::string_view table) {
  const Database database = TRY(Database::open(source));
  std::uint64_t root = 0;
  TRY(database.walk(1, [&](Bytes page, std::size_t pointers, std::size_t cells) {
    for (std::size_t i = 0; i < cells; ++i) {
      const std::size_t cell = from_bytes<be16>(page.subspan(pointers + 2 * i));
      if (cell >= page.size()) continue;
      const auto row = parse_schema_row(page.subspan(cell));
      if (row && row->type == "table" && row->name == table) root = row->root_page;
    }
  }));
  if (root == 0) return fail(ENOENT, "sqlite: no table '{}'", table);
  std::uint64_t rows = 0;
  TRY(database.walk(root, [&](Bytes, std::size_t, std::size_t cells) { rows += cells; }));
  return rows;
}

}  // namespace vmfs
