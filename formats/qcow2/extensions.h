// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "formats/source.h"

namespace vmfs::qcow2 {

/// The header extensions that matter to a reader.
struct Extensions {
  std::string backing_format;
  std::string data_file;
  std::map<unsigned, std::string> incompatible_names;  ///< by bit, from the feature name table

  /// The bits of `features` by their names, comma separated; "bit 9" where the table has none.
  [[nodiscard]] std::string name_features(std::uint64_t features) const;
};

/// Reads the extensions in [offset, end) of the file, `end` being at most the size of a cluster.
/// Errors: EUCLEAN for one that passes `end`.
[[nodiscard]] Result<Extensions> read_extensions(const Source& file, std::uint64_t offset, std::uint64_t end);

}  // namespace vmfs::qcow2
