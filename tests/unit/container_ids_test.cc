// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/container/id_map.h"
#include "launcher/container/passwd.h"

namespace vmfs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Choice {
  IdMaps maps;
  std::string warning;
};

Choice choose(const IdFacts& facts) {
  Choice choice;
  choice.maps = choose_id_maps(facts, [&](const std::string& message) { choice.warning += message; });
  return choice;
}

const std::string whole_map = "         0          0 4294967295\n";

TEST(SubordinateRangesTest, AreThoseOfTheUserByNameOrNumber) {
  const std::string text = "other:100000:65536\nme:200000:65536\n1000:400000:10\n";
  EXPECT_THAT(subordinate_ranges(text, "me", 1000),
              ElementsAre(IdRange{0, 200000, 65536}, IdRange{0, 400000, 10}));
}

TEST(SubordinateRangesTest, MalformedLinesCountAsAbsent) {
  const std::string text =
      "me:1:2:3\nme:x:5\nme:5:\nme:-1:5\nme:100:0\nme:4294967290:10\nme\n\n# me:1:2\nme:99999999999:1\n";
  EXPECT_THAT(subordinate_ranges(text, "me", 1000), IsEmpty());
}

TEST(SubordinateRangesTest, LastLineNeedsNoNewline) {
  EXPECT_THAT(subordinate_ranges("me:5:6", "me", 1), ElementsAre(IdRange{0, 5, 6}));
}

TEST(SubordinateRangesTest, EmptyNameIsNobody) {
  EXPECT_THAT(subordinate_ranges(":5:6\n", "", 1), IsEmpty());
}

TEST(ChooseIdMapsTest, UserIsRootAndHisRangesFollow) {
  const auto [maps, warning] = choose({.uid = 1000,
                                       .gid = 1001,
                                       .user_name = "me",
                                       .subuid = "me:100000:65536\nme:300000:5\n",
                                       .subgid = "me:200000:65536\n",
                                       .uid_map = whole_map,
                                       .gid_map = whole_map,
                                       .setgroups = "allow\n",
                                       .helpers = true});
  EXPECT_EQ(maps.writer, IdMaps::Writer::helper);
  EXPECT_EQ(to_text(maps.users), "0 1000 1\n1 100000 65536\n65537 300000 5\n");
  EXPECT_EQ(to_text(maps.groups), "0 1001 1\n1 200000 65536\n");
  EXPECT_EQ(warning, "");
}

TEST(ChooseIdMapsTest, UserWithoutRangesIsAloneAndIsTold) {
  const auto [maps, warning] = choose({.uid = 1000,
                                       .gid = 1001,
                                       .user_name = "me",
                                       .subuid = "me:100000:65536\n",
                                       .subgid = "",
                                       .uid_map = whole_map,
                                       .gid_map = whole_map,
                                       .setgroups = "allow\n",
                                       .helpers = true});
  EXPECT_EQ(maps.writer, IdMaps::Writer::self);
  EXPECT_EQ(to_text(maps.users), "0 1000 1\n");
  EXPECT_EQ(to_text(maps.groups), "0 1001 1\n");
  EXPECT_THAT(warning, HasSubstr("usermod --add-subuids 100000-165535 --add-subgids 100000-165535 me"));
}

TEST(ChooseIdMapsTest, UserWithoutTheHelpersIsTold) {
  const auto [maps, warning] = choose({.uid = 1000,
                                       .gid = 1001,
                                       .user_name = "me",
                                       .subuid = "me:100000:65536\n",
                                       .subgid = "me:100000:65536\n",
                                       .uid_map = whole_map,
                                       .gid_map = whole_map,
                                       .setgroups = "allow\n",
                                       .helpers = false});
  EXPECT_EQ(maps.writer, IdMaps::Writer::self);
  EXPECT_THAT(warning, HasSubstr("uidmap"));
}

TEST(ChooseIdMapsTest, RootInsideIsNobodyOutside) {
  const auto [maps, warning] = choose({.uid = 0,
                                       .gid = 0,
                                       .user_name = "root",
                                       .subuid = "",
                                       .subgid = "",
                                       .uid_map = whole_map,
                                       .gid_map = whole_map,
                                       .setgroups = "allow\n",
                                       .helpers = true});
  EXPECT_EQ(maps.writer, IdMaps::Writer::root);
  EXPECT_EQ(to_text(maps.users), "0 2013265920 65536\n");
  EXPECT_EQ(to_text(maps.groups), "0 2013265920 65536\n");
  EXPECT_EQ(warning, "");
}

TEST(ChooseIdMapsTest, RootsOwnRangesGoFirst) {
  const auto [maps, warning] = choose({.uid = 0,
                                       .gid = 0,
                                       .user_name = "root",
                                       .subuid = "root:500000:65536\n",
                                       .subgid = "root:600000:65536\n",
                                       .uid_map = whole_map,
                                       .gid_map = whole_map,
                                       .setgroups = "allow\n",
                                       .helpers = true});
  EXPECT_EQ(to_text(maps.users), "0 500000 65536\n");
  EXPECT_EQ(to_text(maps.groups), "0 600000 65536\n");
}

TEST(ChooseIdMapsTest, RootOfASmallNamespaceGivesTheIdsItHas) {
  const auto [maps, warning] = choose({.uid = 0,
                                       .gid = 0,
                                       .user_name = "root",
                                       .subuid = "",
                                       .subgid = "",
                                       .uid_map = "0 1000 1\n1 100000 65536\n",
                                       .gid_map = "0 1000 1\n",
                                       .setgroups = "deny\n",
                                       .helpers = true});
  EXPECT_EQ(to_text(maps.users), "0 0 1\n1 1 65536\n");
  EXPECT_EQ(to_text(maps.groups), "0 0 1\n");
  EXPECT_FALSE(maps.set_groups);
}

TEST(OutsideOfTest, FollowsTheMap) {
  const IdMap map = {{0, 1000, 1}, {1, 100000, 10}};
  EXPECT_EQ(outside_of(map, 0), 1000U);
  EXPECT_EQ(outside_of(map, 10), 100009U);
  EXPECT_EQ(outside_of(map, 11), std::nullopt);
}

const std::string passwd =
    "root:x:0:0:root:/root:/bin/bash\n"
    "broken:x:\n"
    "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
    "7:x:70:71::relative:\n";
const std::string group = "root:x:0:\nadm:x:4:daemon,root\ndaemon:x:1:\nstaff:x:50:root,daemon\n7:x:700:\n";

TEST(FindUserTest, NameGivesIdsGroupsHomeAndShell) {
  const auto user = find_user("daemon", passwd, group);
  ASSERT_TRUE(user);
  EXPECT_EQ(user->uid, 1U);
  EXPECT_EQ(user->gid, 1U);
  EXPECT_THAT(user->groups, ElementsAre(4, 50));
  EXPECT_EQ(user->home, "/usr/sbin");
  EXPECT_EQ(user->shell, "/usr/sbin/nologin");
}

TEST(FindUserTest, NumberWithALineIsThatUser) {
  const auto user = find_user("0", passwd, group);
  ASSERT_TRUE(user);
  EXPECT_EQ(user->name, "root");
  EXPECT_EQ(user->home, "/root");
}

TEST(FindUserTest, NameThatIsANumberGoesBeforeTheNumber) {
  const auto user = find_user("7", passwd, group);
  ASSERT_TRUE(user);
  EXPECT_EQ(user->uid, 70U);
  EXPECT_EQ(user->home, "/");
  EXPECT_EQ(user->shell, "/bin/sh");
}

TEST(FindUserTest, NumberWithoutALineIsAUserWithoutAName) {
  const auto user = find_user("12345", passwd, group);
  ASSERT_TRUE(user);
  EXPECT_EQ(user->uid, 12345U);
  EXPECT_EQ(user->gid, 0U);
  EXPECT_EQ(user->name, "");
}

TEST(FindUserTest, GroupOfTheOptionIsTheOnlyOne) {
  const auto user = find_user("daemon:staff", passwd, group);
  ASSERT_TRUE(user);
  EXPECT_EQ(user->gid, 50U);
  EXPECT_THAT(user->groups, IsEmpty());
}

TEST(FindUserTest, GroupMayBeANumber) {
  EXPECT_EQ(find_user("daemon:1234", passwd, group)->gid, 1234U);
}

TEST(FindUserTest, UnknownNamesAreErrors) {
  EXPECT_EQ(find_user("nobody-here", passwd, group).error().code, ENOENT);
  EXPECT_EQ(find_user("root:nobody-here", passwd, group).error().code, ENOENT);
  EXPECT_EQ(find_user("", passwd, group).error().code, EINVAL);
  EXPECT_EQ(find_user("-1", passwd, group).error().code, ENOENT);
  EXPECT_EQ(find_user("4294967295", passwd, group).error().code, ENOENT);
}

TEST(FindUserTest, EmptyFilesStillHaveRoot) {
  const auto user = find_user("0", "", "");
  ASSERT_TRUE(user);
  EXPECT_EQ(user->uid, 0U);
  EXPECT_EQ(user->home, "/");
}

}  // namespace
}  // namespace vmfs
