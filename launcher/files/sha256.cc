// SPDX-License-Identifier: MIT
#include "launcher/files/sha256.h"

#include <array>
#include <cstdint>

#include <fmt/format.h>

namespace vmfs {

void Sha256::add(std::span<const std::byte> bytes) {
  ::sha256_update(&context_, bytes.size(), reinterpret_cast<const std::uint8_t*>(bytes.data()));
}

std::string Sha256::finish() {
  std::array<std::uint8_t, SHA256_DIGEST_SIZE> digest{};
  ::sha256_digest(&context_, digest.size(), digest.data());
  std::string text;
  for (const std::uint8_t byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

std::string checksum_line(const std::string& digest, const std::string& name) {
  std::string escaped;
  for (const char letter : name) {
    switch (letter) {
      case '\n':
        escaped += "\\n";
        break;
      case '\r':
        escaped += "\\r";
        break;
      case '\\':
        escaped += "\\\\";
        break;
      default:
        escaped += letter;
    }
  }
  return fmt::format("{}{}  {}", escaped == name ? "" : "\\", digest, escaped);
}

}  // namespace vmfs
