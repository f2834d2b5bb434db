// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "launcher/container/etc_files.h"

namespace vmfs {
namespace {

TEST(HostnameOfTest, IsTheFirstWordThatIsNoComment) {
  EXPECT_EQ(hostname_of("# a comment\n\n  web-1.example  \nother\n"), "web-1.example");
}

TEST(HostnameOfTest, WhatNoMachineIsCalledIsReplaced) {
  EXPECT_EQ(hostname_of(""), "vmfs");
  EXPECT_EQ(hostname_of("-x\n"), "vmfs");
  EXPECT_EQ(hostname_of("a\x1b[31m\n"), "vmfs");
  EXPECT_EQ(hostname_of(std::string(65, 'a')), "vmfs");
  EXPECT_EQ(hostname_of(std::string(64, 'a')), std::string(64, 'a'));
}

TEST(HostsWithTest, CompleteFileStaysAsItIs) {
  const std::string text = "127.0.0.1 localhost\n10.0.0.1 web # front\n";
  EXPECT_EQ(hosts_with(text, "web"), text);
}

TEST(HostsWithTest, MissingNamesAreAdded) {
  EXPECT_EQ(hosts_with("10.0.0.1 db", "web"),
            "10.0.0.1 db\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\tweb\n");
}

TEST(HostsWithTest, NameInACommentDoesNotCount) {
  EXPECT_EQ(hosts_with("127.0.0.1 localhost # web\n", "web"), "127.0.0.1 localhost # web\n127.0.1.1\tweb\n");
}

TEST(ResolverForTest, ReachableResolversStay) {
  EXPECT_EQ(resolver_for("search a.b\nnameserver 10.0.0.1\noptions x\n", ""),
            "search a.b\nnameserver 10.0.0.1\noptions x\n");
}

TEST(ResolverForTest, ResolversOnLoopbackAreLeftOut) {
  EXPECT_EQ(resolver_for("nameserver 127.0.0.53\nnameserver 10.0.0.1\n", ""), "nameserver 10.0.0.1\n");
}

TEST(ResolverForTest, WhereNoneIsLeftTheFallbackCounts) {
  EXPECT_EQ(resolver_for("nameserver 127.0.0.53\n", "nameserver 9.9.9.9\n"), "nameserver 9.9.9.9\n");
  EXPECT_EQ(resolver_for("nameserver ::1\n", "nameserver 127.0.0.1\n"), "");
}

}  // namespace
}  // namespace vmfs
