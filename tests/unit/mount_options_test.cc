// SPDX-License-Identifier: MIT
#include "fs/mount/mount_options.h"

#include <cerrno>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vmfs {
namespace {

MountOptions parsed(std::string_view words) {
  MountOptions options;
  const auto done = parse_mount_options(words, options);
  EXPECT_TRUE(done) << (done ? "" : done.error().what);
  return options;
}

Error refused(std::string_view words) {
  MountOptions options;
  const auto done = parse_mount_options(words, options);
  EXPECT_FALSE(done) << words;
  return done ? Error{} : done.error();
}

TEST(MountOptionsTest, WordsOfTheKernelGoToLibfuse) {
  EXPECT_THAT(parsed("nosuid,noexec,fsname=a").fuse, testing::ElementsAre("nosuid", "noexec", "fsname=a"));
}

TEST(MountOptionsTest, ACommaCanBeEscaped) {
  EXPECT_THAT(parsed(R"(fsname=a\,b,nodev)").fuse, testing::ElementsAre("fsname=a,b", "nodev"));
}

TEST(MountOptionsTest, WordsForFstabAreNotOurs) {
  EXPECT_TRUE(parsed("defaults,noauto,nofail,_netdev,x-systemd.automount,comment=x,user").fuse.empty());
}

TEST(MountOptionsTest, ReadOnlyIsWhatWeAreAnyway) {
  EXPECT_TRUE(parsed("ro").fuse.empty());
}

TEST(MountOptionsTest, WritingIsRefused) {
  EXPECT_EQ(refused("nosuid,rw").code, EROFS);
}

TEST(MountOptionsTest, AnUnknownWordIsNamed) {
  EXPECT_THAT(refused("nosuid,colour").what, testing::HasSubstr("colour"));
  EXPECT_THAT(refused("colour=red").what, testing::HasSubstr("colour=red"));
}

TEST(MountOptionsTest, MasksAreOctal) {
  const auto options = parsed("umask=022,fmask=0111,uid=1000,gid=100");
  EXPECT_EQ(options.umask, 022U);
  EXPECT_EQ(options.fmask, 0111U);
  EXPECT_EQ(options.uid, 1000U);
  EXPECT_EQ(options.gid, 100U);
}

TEST(MountOptionsTest, WhatIsNoNumberIsRefused) {
  EXPECT_EQ(refused("uid=root").code, EINVAL);
  EXPECT_EQ(refused("umask=9").code, EINVAL);
  EXPECT_EQ(refused("uid=").code, EINVAL);
  EXPECT_EQ(refused("attr_timeout=nan").code, EINVAL);
  EXPECT_EQ(refused("uid=4294967296").code, EINVAL);
}

TEST(MountOptionsTest, WordsAboutTheImageAreKept) {
  const auto options = parsed(R"(norecovery,partition=2,format=raw,snapshot=before,add=a\,b.img,add=c)");
  EXPECT_FALSE(options.recover);
  EXPECT_EQ(options.partition, "2");
  EXPECT_EQ(options.format, "raw");
  EXPECT_EQ(options.snapshot, "before");
  EXPECT_THAT(options.added, testing::ElementsAre("a,b.img", "c"));
}

TEST(MountOptionsTest, TimeoutsAreNeverUnlessSaid) {
  EXPECT_GT(parsed("").attr_timeout, 1e8);
  EXPECT_DOUBLE_EQ(parsed("attr_timeout=1.5").attr_timeout, 1.5);
}

}  // namespace
}  // namespace vmfs
