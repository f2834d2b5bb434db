// SPDX-License-Identifier: MIT
// A database of the fuzzer's: its packages are counted, of which there can be no more than its bytes have
// room for.
#include <cerrno>
#include <cstdint>
#include <cstdlib>

#include "fs/guest/sqlite_rows.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmfs;
  const auto bytes = std::as_bytes(std::span(data, size));
  const MemorySource database(std::vector(bytes.begin(), bytes.end()));
  const auto rows = count_sqlite_rows(database, "Packages");
  if (rows ? *rows > size : rows.error().code != EUCLEAN && rows.error().code != ENOENT) std::abort();
  return 0;
}
