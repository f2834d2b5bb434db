// SPDX-License-Identifier: MIT
#include "launcher/files/data_runs.h"

namespace vmfs {

Result<std::vector<DataRun>> find_data_runs(const Source& source) {
  std::vector<DataRun> runs;
  for (std::uint64_t offset = 0; offset < source.size();) {
    const Extent extent = TRY(source.map(offset, source.size() - offset));
    if (extent.kind != Extent::Kind::zero) {
      if (!runs.empty() && runs.back().offset + runs.back().length == offset) {
        runs.back().length += extent.length;
      } else {
        runs.push_back({.offset = offset, .length = extent.length});
      }
    }
    offset += extent.length;
  }
  return runs;
}

}  // namespace vmfs
