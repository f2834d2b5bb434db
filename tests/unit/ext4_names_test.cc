// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "fs/ext4/names.h"

namespace vmfs::ext4 {
namespace {

std::string counting_bytes(int length) {
  std::string text;
  for (int i = 0; i < length; ++i) text += static_cast<char>(i % 251);
  return text;
}

TEST(Ext4NamesTest, ShortNoKeyNamesCarryTheWholeName) {
  EXPECT_EQ(no_key_name({0x12345678, 0x9abcdef0}, counting_bytes(16)), "eFY0EvDevJoAAQIDBAUGBwgJCgsMDQ4P");
}

TEST(Ext4NamesTest, LongNoKeyNamesEndInADigest) {
  EXPECT_EQ(no_key_name({}, counting_bytes(200)),
            "AAAAAAAAAAAAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCkqKywtLi8wMTIzNDU2Nzg5Ojs8PT4_"
            "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl9gYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7fH1-"
            "f4CBgoOEhYaHiImKi4yNjo-QkZKTlFWlJTsrrRWQIfPL576T3kI1LajFdBpEvjMU0ZBZzMcV");
}

TEST(Ext4NamesTest, DotsAreNotEncryptedAndShortNamesAreDamage) {
  EXPECT_EQ(no_key_name({}, ".."), "..");
  EXPECT_EQ(no_key_name({}, "shorter than 16"), std::nullopt);
}

}  // namespace
}  // namespace vmfs::ext4
