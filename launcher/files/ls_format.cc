// SPDX-License-Identifier: MIT
#include "launcher/files/ls_format.h"

#include <algorithm>

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "formats/text.h"
#include "launcher/files/file_text.h"

namespace vmfs {
namespace {

bool is_device(const Attributes& attributes) {
  return S_ISCHR(attributes.mode) || S_ISBLK(attributes.mode);
}

// UTF-8 continuation bytes take no room.
std::size_t text_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::size_t digits(std::uint64_t number) {
  return fmt::formatted_size("{}", number);
}

/// An owner: a name, or a number, which is aligned to the right.
struct Owner {
  std::string text;
  bool is_name = false;

  [[nodiscard]] std::string padded(std::size_t width) const {
    const std::string blanks(width - std::min(width, text_width(text)), ' ');
    return is_name ? text + blanks : blanks + text;
  }
};

class LongFormat {
 public:
  LongFormat(const std::vector<LsEntry>& entries, const LsStyle& style, const Accounts& accounts,
             const std::vector<LsEntry>& beside)
      : style_(style), accounts_(accounts) {
    for (const LsEntry& entry : entries) measure(entry);
    for (const LsEntry& entry : beside) measure(entry);
    size_width_ = std::max(size_width_, major_width_ == 0 ? 0 : major_width_ + 2 + minor_width_);
  }

  [[nodiscard]] std::string line(const LsEntry& entry) const {
    const Attributes& file = entry.attributes;
    std::string out;
    if (style_.inodes) out += fmt::format("{:>{}} ", static_cast<std::uint64_t>(file.inode), inode_width_);
    out += mode_text(file.mode);
    if (any_marker_) out += entry.marker;
    out += fmt::format(" {:>{}} {} {} {} {} ", file.links, links_width_,
                       owner(accounts_.users, file.uid).padded(user_width_),
                       owner(accounts_.groups, file.gid).padded(group_width_), size_column(file),
                       ls_time(file.modified, style_.now));
    out += shown(entry.name);
    if (!entry.target.empty()) out += " -> " + shown(entry.target);
    return out + '\n';
  }

 private:
  void measure(const LsEntry& entry) {
    const Attributes& file = entry.attributes;
    const auto widen = [](std::size_t& width, std::size_t wanted) { width = std::max(width, wanted); };
    widen(inode_width_, digits(static_cast<std::uint64_t>(file.inode)));
    widen(links_width_, digits(file.links));
    widen(user_width_, text_width(owner(accounts_.users, file.uid).text));
    widen(group_width_, text_width(owner(accounts_.groups, file.gid).text));
    if (is_device(file)) {
      widen(major_width_, digits(major(file.device)));
      widen(minor_width_, digits(minor(file.device)));
    } else {
      widen(size_width_, size_text(file).size());
    }
    any_marker_ = any_marker_ || entry.marker != ' ';
  }

  [[nodiscard]] std::string shown(const std::string& text) const {
    return style_.printable_only ? printable(text) : text;
  }

  [[nodiscard]] Owner owner(const AccountTable& table, std::uint32_t id) const {
    const auto name = style_.numeric ? std::string_view() : table.name(id);
    if (name.empty()) return {.text = fmt::format("{}", id)};
    return {.text = shown(std::string(name)), .is_name = true};
  }

  [[nodiscard]] std::string size_text(const Attributes& file) const {
    return style_.human ? ls_size(file.size) : fmt::format("{}", file.size);
  }

  [[nodiscard]] std::string size_column(const Attributes& file) const {
    if (!is_device(file)) return fmt::format("{:>{}}", size_text(file), size_width_);
    return fmt::format("{:>{}}, {:>{}}", major(file.device), size_width_ - 2 - minor_width_,
                       minor(file.device), minor_width_);
  }

  const LsStyle& style_;
  const Accounts& accounts_;
  std::size_t inode_width_ = 0;
  std::size_t links_width_ = 0;
  std::size_t user_width_ = 0;
  std::size_t group_width_ = 0;
  std::size_t size_width_ = 0;
  std::size_t major_width_ = 0;
  std::size_t minor_width_ = 0;
  bool any_marker_ = false;
};

// As many columns as fit, filled from top to bottom.
std::string in_columns(const std::vector<std::string>& cells, std::size_t line_width) {
  std::vector<std::size_t> widths;
  std::size_t rows = 1;
  for (;; ++rows) {
    widths.assign((cells.size() + rows - 1) / rows, 0);
    std::size_t sum = 2 * (widths.size() - 1);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      std::size_t& width = widths[i / rows];
      const std::size_t wanted = std::max(width, text_width(cells[i]));
      sum += wanted - width;
      width = wanted;
    }
    if (sum < line_width || rows >= cells.size()) break;
  }
  std::string out;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = row; i < cells.size(); i += rows) {
      out += cells[i];
      if (i + rows < cells.size()) out.append(widths[i / rows] - text_width(cells[i]) + 2, ' ');
    }
    out += '\n';
  }
  return out;
}

std::vector<std::string> name_cells(const std::vector<LsEntry>& entries, const LsStyle& style,
                                    const std::vector<LsEntry>& beside) {
  std::size_t inode_width = 0;
  for (const auto* const list : {&entries, &beside}) {
    for (const LsEntry& entry : *list)
      inode_width = std::max(inode_width, digits(static_cast<std::uint64_t>(entry.attributes.inode)));
  }
  std::vector<std::string> cells;
  cells.reserve(entries.size());
  for (const LsEntry& entry : entries) {
    std::string cell;
    if (style.inodes) {
      cell = fmt::format("{:>{}} ", static_cast<std::uint64_t>(entry.attributes.inode), inode_width);
    }
    cells.push_back(cell + (style.printable_only ? printable(entry.name) : entry.name));
  }
  return cells;
}

}  // namespace

std::string format_listing(const std::vector<LsEntry>& entries, const LsStyle& style,
                           const Accounts& accounts, const std::vector<LsEntry>& beside) {
  std::string out;
  if (entries.empty()) return out;
  if (style.long_format) {
    const LongFormat format(entries, style, accounts, beside);
    for (const LsEntry& entry : entries) out += format.line(entry);
    return out;
  }
  const auto cells = name_cells(entries, style, beside);
  if (style.width != 0) return in_columns(cells, style.width);
  for (const std::string& cell : cells) out += cell + '\n';
  return out;
}

std::string format_total(const std::vector<LsEntry>& entries, const LsStyle& style) {
  std::uint64_t blocks = 0;
  for (const LsEntry& entry : entries)
    blocks += std::min(entry.attributes.blocks, UINT64_MAX / 1024 - blocks);
  return style.human ? fmt::format("total {}\n", ls_size(blocks * 512))
                     : fmt::format("total {}\n", (blocks + 1) / 2);
}

}  // namespace vmfs
