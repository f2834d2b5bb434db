// SPDX-License-Identifier: MIT
#include <cstring>

#include <gtest/gtest.h>

#include "launcher/container/seccomp.h"
#include "launcher/container/seccomp_rules.h"

namespace vmfs {
namespace {

void expect_same(std::span<const sock_filter> computed, const SeccompFilter& compiled) {
  ASSERT_EQ(computed.size(), compiled.size());
  EXPECT_EQ(std::memcmp(computed.data(), compiled.data(), computed.size_bytes()), 0);
}

TEST(SeccompTest, TheComputedFilterIsWhatTheRulesSayForCommandsAndInits) {
  for (const Capabilities& capabilities : {default_capabilities(), boot_capabilities()}) {
    const auto compiled = compile_seccomp_filter(capabilities);
    ASSERT_TRUE(compiled) << compiled.error().what;
    expect_same(computed_seccomp_filter(capabilities), *compiled);
  }
}

TEST(SeccompTest, CapabilitiesThatDecideNothingDoNotNeedAnotherFilter) {
  Capabilities capabilities = default_capabilities();
  capabilities.erase(CAP_CHOWN);
  EXPECT_FALSE(computed_seccomp_filter(capabilities).empty());
}

TEST(SeccompTest, OtherCapabilitiesHaveNoComputedFilter) {
  Capabilities capabilities = default_capabilities();
  capabilities.insert(CAP_SYS_ADMIN);
  EXPECT_TRUE(computed_seccomp_filter(capabilities).empty());
  capabilities = default_capabilities();
  capabilities.insert(CAP_AUDIT_WRITE);
  EXPECT_TRUE(computed_seccomp_filter(capabilities).empty());
}

}  // namespace
}  // namespace vmfs
