// SPDX-License-Identifier: MIT
#include "launcher/columns.h"

#include <algorithm>
#include <string_view>

namespace vmfs {
namespace {

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

std::string columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    widths.resize(std::max(widths.size(), rows[r].size()));
    // The heading alone does not make a column worth showing.
    for (std::size_t c = 0; r > 0 && c < rows[r].size(); ++c)
      widths[c] = std::max(widths[c], width(rows[r][c]));
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (widths[c] == 0) continue;
      const std::size_t wanted = std::max(widths[c], rows.front().size() > c ? width(rows.front()[c]) : 0);
      line += row[c] + std::string(wanted - width(row[c]) + 2, ' ');
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return out;
}

}  // namespace vmfs
