// SPDX-License-Identifier: MIT
#include "fs/ext4/names.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>
#include <nettle/sha2.h>

namespace vmfs::ext4 {
namespace {

/// struct fscrypt_nokey_name of the kernel's fs/crypto/fname.c: hashes, name, digest of the name's rest.
constexpr std::size_t hashes_size = 8;
constexpr std::size_t bytes_size = 149;
constexpr std::size_t digest_size = 32;
constexpr std::size_t shortest_encrypted = 16;

constexpr std::string_view base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

using Digest = std::array<std::byte, digest_size>;

/// What of an encrypted name does not fit a no-key name, as that keeps it.
Digest digest_of_rest(std::string_view encrypted) {
  const auto rest = encrypted.substr(bytes_size);
  Digest digest;
  sha256_ctx context;
  ::sha256_init(&context);
  ::sha256_update(&context, rest.size(), reinterpret_cast<const std::uint8_t*>(rest.data()));
  ::sha256_digest(&context, digest.size(), reinterpret_cast<std::uint8_t*>(digest.data()));
  return digest;
}

std::string encode(std::span<const std::byte> bytes) {
  std::string text;
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (const std::byte byte : bytes) {
    pending = pending << 8 | std::to_integer<std::uint32_t>(byte);
    for (bits += 8; bits >= 6; bits -= 6) text += base64url[(pending >> (bits - 6)) & 63];
  }
  if (bits > 0) text += base64url[(pending << (6 - bits)) & 63];
  return text;
}

std::optional<std::vector<std::byte>> decode(std::string_view text) {
  std::vector<std::byte> bytes;
  std::uint32_t pending = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const std::size_t value = base64url.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    pending = pending << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<std::byte>(pending >> bits));
  }
  // Left over bits must be zero, or several texts would name the same entry.
  if ((pending & ((1U << bits) - 1)) != 0) return std::nullopt;
  return bytes;
}

bool is_dot_or_dotdot(std::string_view name) {
  return name == "." || name == "..";
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::optional<NameHash> hash_name(const Volume& volume, const InodeRecord& directory, std::uint8_t version,
                                  std::string_view name) {
  const Geometry& geometry = volume.geometry();
  if (version > hash_tea) return std::nullopt;
  if (geometry.unsigned_hash) version = static_cast<std::uint8_t>(version + hash_legacy_unsigned);
  NameHash hash;
  const int flags = directory.has(flag_casefold) ? EXT4_CASEFOLD_FL : 0;
  const errcode_t code =
      ext2fs_dirhash2(version, name.data(), static_cast<int>(name.size()), volume.handle().encoding(), flags,
                      geometry.hash_seed.data(), &hash.major, &hash.minor);
  if (code != 0) return std::nullopt;
  return hash;
}

std::optional<std::string> no_key_name(NameHash hash, std::string_view encrypted) {
  if (is_dot_or_dotdot(encrypted)) return std::string(encrypted);
  if (encrypted.size() < shortest_encrypted) return std::nullopt;
  std::array<std::byte, hashes_size + bytes_size + digest_size> raw{};
  // The kernel writes the hashes in its own byte order; that of x86 is taken for all.
  const std::array<le32, 2> hashes = {le32{hash.major}, le32{hash.minor}};
  std::memcpy(raw.data(), hashes.data(), hashes_size);
  const std::size_t kept = std::min(encrypted.size(), bytes_size);
  std::memcpy(raw.data() + hashes_size, encrypted.data(), kept);
  if (encrypted.size() <= bytes_size) return encode(std::span(raw).first(hashes_size + kept));
  const Digest digest = digest_of_rest(encrypted);
  std::ranges::copy(digest, raw.begin() + hashes_size + bytes_size);
  return encode(raw);
}

std::optional<WantedName> WantedName::create(const Volume& volume, const InodeRecord& directory,
                                             std::string_view name) {
  WantedName wanted;
  if (!directory.has(flag_encrypt) || is_dot_or_dotdot(name)) {
    wanted.name_ = name;
    if (directory.has(flag_casefold) && !directory.has(flag_encrypt))
      wanted.encoding_ = volume.handle().encoding();
    return wanted;
  }
  const auto raw = decode(name);
  if (!raw || raw->size() <= hashes_size) return std::nullopt;
  const std::size_t full = hashes_size + bytes_size + digest_size;
  if (raw->size() > hashes_size + bytes_size && raw->size() != full) return std::nullopt;
  const std::span<const std::byte> bytes(*raw);
  wanted.hash_ = NameHash{from_bytes<le32>(bytes), from_bytes<le32>(bytes.subspan(4))};
  wanted.name_ = as_text(bytes.subspan(hashes_size, std::min(bytes.size() - hashes_size, bytes_size)));
  if (raw->size() == full) {
    wanted.digest_.emplace();
    std::ranges::copy(bytes.last(digest_size), wanted.digest_->begin());
  }
  return wanted;
}

bool WantedName::matches(std::string_view on_disk) const {
  if (digest_) {
    return on_disk.size() > bytes_size && on_disk.starts_with(name_) && digest_of_rest(on_disk) == *digest_;
  }
  if (on_disk == name_) return true;
  if (encoding_ == nullptr) return false;
  const auto bytes = [](std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
  };
  return ext2fs_casefold_cmp(encoding_, bytes(name_), name_.size(), bytes(on_disk), on_disk.size()) == 0;
}

std::optional<NameHash> WantedName::hash(const Volume& volume, const InodeRecord& directory,
                                         std::uint8_t version) const {
  // As the kernel: what a no-key name says of the hash counts only where it cannot be computed.
  if (hash_ && (digest_ || version == hash_siphash)) return hash_;
  return hash_name(volume, directory, version, name_);
}

}  // namespace vmfs::ext4
