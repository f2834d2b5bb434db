// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fs/ext4/inode.h"

struct ext2fs_nls_table;  // NOLINT(readability-identifier-naming): the name of libext2fs

namespace vmfs::ext4 {

/// The two hashes by which a directory's index orders names.
struct NameHash {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
};

/// Ways to hash a name, as the index's root and the superblock number them.
enum HashVersion : std::uint8_t {
  hash_legacy = 0,
  hash_half_md4 = 1,
  hash_tea = 2,
  hash_legacy_unsigned = 3,
  hash_half_md4_unsigned = 4,
  hash_tea_unsigned = 5,
  hash_siphash = 6,  ///< the hash lies beside the name; computing it takes the directory's key
};

/// Whether the entries of a directory carry their hashes: encrypted and casefolded ones.
[[nodiscard]] inline bool has_hash_in_entries(const InodeRecord& directory) {
  return directory.has(flag_casefold) && directory.has(flag_encrypt);
}

/// The hash of a name in a directory. `version` as in the index's root: signed versions become unsigned where
/// the superblock says so. Nothing for a version that cannot be computed.
[[nodiscard]] std::optional<NameHash> hash_name(const Volume& volume, const InodeRecord& directory,
                                                std::uint8_t version, std::string_view name);

/// How fscrypt shows a name to those who have no key: struct fscrypt_nokey_name in base64url.
/// Nothing for names that are too short to be encrypted ones.
[[nodiscard]] std::optional<std::string> no_key_name(NameHash hash, std::string_view encrypted);

/// A name that is looked up, ready to be compared with the names on disk.
class WantedName {
 public:
  /// Nothing where no entry of the directory can have this name.
  [[nodiscard]] static std::optional<WantedName> create(const Volume& volume, const InodeRecord& directory,
                                                        std::string_view name);

  [[nodiscard]] bool matches(std::string_view on_disk) const;

  /// The hash in a directory whose index uses `version`; nothing where it cannot be known.
  [[nodiscard]] std::optional<NameHash> hash(const Volume& volume, const InodeRecord& directory,
                                             std::uint8_t version) const;

 private:
  std::string name_;  ///< the bytes on disk, or their beginning where digest_ is set
  std::optional<NameHash> hash_;
  std::optional<std::array<std::byte, 32>> digest_;  ///< of the bytes that follow
  const ext2fs_nls_table* encoding_ = nullptr;       ///< compare as casefolded directories do
};

}  // namespace vmfs::ext4
