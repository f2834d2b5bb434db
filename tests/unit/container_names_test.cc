// SPDX-License-Identifier: MIT
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/container/detach_keys.h"
#include "launcher/container/join.h"
#include "launcher/container/names.h"
#include "launcher/container/state.h"

namespace vmfs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(ContainerNameTest, LettersDigitsAndThreeSignsMakeAName) {
  EXPECT_TRUE(is_container_name("a"));
  EXPECT_TRUE(is_container_name("Web_1.example-2"));
  EXPECT_TRUE(is_container_name(std::string(64, 'x')));
}

TEST(ContainerNameTest, WhatLeadsElsewhereIsNoName) {
  EXPECT_FALSE(is_container_name(""));
  EXPECT_FALSE(is_container_name("."));
  EXPECT_FALSE(is_container_name(".."));
  EXPECT_FALSE(is_container_name("-x"));
  EXPECT_FALSE(is_container_name("a/b"));
  EXPECT_FALSE(is_container_name("a b"));
  EXPECT_FALSE(is_container_name("\xc3\xa4"));
  EXPECT_FALSE(is_container_name(std::string(65, 'x')));
}

TEST(ContainerNameTest, MadeNamesTellTheImage) {
  EXPECT_EQ(make_container_name("/images/debian.qcow2", 0xabc), "debian-0abc");
  EXPECT_EQ(make_container_name("my disk.v2.img", 0x12345), "my-disk-2345");
  EXPECT_EQ(make_container_name("/", 1), "container-0001");
  EXPECT_TRUE(is_container_name(make_container_name(std::string(300, 'x') + ".raw", 0xffffffff)));
}

TEST(SignalTest, NamesAndNumbers) {
  EXPECT_EQ(parse_signal("TERM"), SIGTERM);
  EXPECT_EQ(parse_signal("sigint"), SIGINT);
  EXPECT_EQ(parse_signal("9"), SIGKILL);
  EXPECT_EQ(parse_signal("SIGRTMIN+3"), SIGRTMIN + 3);
  EXPECT_EQ(parse_signal("RTMAX"), SIGRTMAX);
  EXPECT_EQ(parse_signal("RTMAX-1"), SIGRTMAX - 1);
}

TEST(SignalTest, OthersAreRefused) {
  EXPECT_FALSE(parse_signal(""));
  EXPECT_FALSE(parse_signal("0"));
  EXPECT_FALSE(parse_signal("-9"));
  EXPECT_FALSE(parse_signal("NONE"));
  EXPECT_FALSE(parse_signal("RTMIN-1"));
  EXPECT_FALSE(parse_signal("RTMIN+99"));
  EXPECT_FALSE(parse_signal("RTMIN+-1"));
  EXPECT_FALSE(parse_signal("99"));
}

TEST(DetachKeysTest, ControlKeysAndCharacters) {
  EXPECT_EQ(parse_detach_keys("ctrl-p,ctrl-q"), "\x10\x11");
  EXPECT_EQ(parse_detach_keys("ctrl-@,x"), std::string("\0x", 2));
  EXPECT_EQ(parse_detach_keys("ctrl-]"), "\x1d");
  EXPECT_EQ(parse_detach_keys(""), "");
  EXPECT_THAT(parse_detach_keys("ctrl-1").error().what, HasSubstr("--detach-keys ctrl-1"));
  EXPECT_FALSE(parse_detach_keys("ab"));
  EXPECT_FALSE(parse_detach_keys("a,"));
}

TEST(DetachKeysTest, WhatIsNotTheKeysGoesOn) {
  DetachKeys keys("\x10\x11");
  std::string typed = "ls\r";
  EXPECT_FALSE(keys.filter(typed));
  EXPECT_EQ(typed, "ls\r");
}

TEST(DetachKeysTest, TheFirstKeyWaitsForTheNext) {
  DetachKeys keys("\x10\x11");
  std::string typed = "a\x10";
  EXPECT_FALSE(keys.filter(typed));
  EXPECT_EQ(typed, "a");
  typed = "b";
  EXPECT_FALSE(keys.filter(typed));
  EXPECT_EQ(typed,
            "\x10"
            "b");
}

TEST(DetachKeysTest, AllKeysInOneOrTwoReads) {
  DetachKeys keys("\x10\x11");
  std::string typed = "x\x10\x10\x11y";
  EXPECT_TRUE(keys.filter(typed));
  EXPECT_EQ(typed, "x\x10");
  typed = "\x10";
  EXPECT_FALSE(keys.filter(typed));
  typed = "\x11";
  EXPECT_TRUE(keys.filter(typed));
  EXPECT_EQ(typed, "");
}

TEST(DetachKeysTest, KeysThatBeginLikeThemselves) {
  DetachKeys keys("aab");
  std::string typed = "aaab";
  EXPECT_TRUE(keys.filter(typed));
  EXPECT_EQ(typed, "a");
}

TEST(DetachKeysTest, NoKeysNeverLeave) {
  DetachKeys keys;
  std::string typed = "\x10\x11";
  EXPECT_FALSE(keys.filter(typed));
  EXPECT_EQ(typed, "\x10\x11");
}

ContainerState some_state() {
  Plan plan;
  plan.image = "/images/debian.qcow2";
  plan.name = "web";
  plan.command = {"sh", "-c", "echo \"x\""};
  plan.environment = {{"A", "1"}, {"TERM", "vt100"}};
  plan.user = "daemon";
  plan.workdir = "/srv";
  plan.privileges.ambient = {CAP_NET_RAW};
  plan.privileges.seccomp = false;
  plan.remove = true;
  ContainerState state = make_state(plan, true, true);
  state.status = ContainerState::Status::running;
  state.pid = 42;
  return state;
}

TEST(ContainerStateTest, TextHasAllThatIsToBeKnown) {
  const ContainerState state = some_state();
  const auto again = parse_state(to_text(state));
  ASSERT_TRUE(again) << again.error().what;
  EXPECT_EQ(to_text(*again), to_text(state));
  EXPECT_EQ(again->name, "web");
  EXPECT_EQ(again->pid, 42);
  EXPECT_EQ(again->status, ContainerState::Status::running);
  EXPECT_TRUE(again->remove);
  EXPECT_TRUE(again->grouped);
  EXPECT_FALSE(again->limited);
  EXPECT_THAT(again->command, ElementsAre("sh", "-c", "echo \"x\""));
  EXPECT_THAT(again->environment, UnorderedElementsAre(Pair("A", "1"), Pair("TERM", "vt100")));
  EXPECT_EQ(again->privileges.capabilities, default_capabilities());
  EXPECT_EQ(again->privileges.ambient, Capabilities{CAP_NET_RAW});
  EXPECT_FALSE(again->privileges.seccomp);
  EXPECT_EQ(again->stop_signal, SIGTERM);
}

TEST(ContainerStateTest, DamagedTextIsAnErrorThatSaysWhere) {
  EXPECT_EQ(parse_state("").error().code, EBADMSG);
  EXPECT_EQ(parse_state("[]").error().code, EBADMSG);
  std::string text = to_text(some_state());
  EXPECT_FALSE(parse_state(text.substr(0, text.size() / 2)));
  text.replace(text.find("\"running\""), 9, "\"walking\"");
  EXPECT_THAT(parse_state(text).error().what, HasSubstr("walking"));
}

TEST(ContainerStateTest, NamesThatLeadElsewhereAreRefused) {
  ContainerState state = some_state();
  state.name = "../x";
  EXPECT_FALSE(parse_state(to_text(state)));
}

TEST(ContainerStateTest, WordsThatAreNotUtf8DoNotBreakIt) {
  ContainerState state = some_state();
  state.command = {"\xff\xfe"};
  EXPECT_TRUE(parse_state(to_text(state)));
}

TEST(ExecPlanTest, TakesFromTheContainerWhatIsNotSaid) {
  const auto plan = make_exec_plan({.command = {"id"}, .environment = {"A=2", "B=3"}}, some_state(), {});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->user, "daemon");
  EXPECT_EQ(plan->workdir, "/srv");
  EXPECT_THAT(plan->environment, UnorderedElementsAre(Pair("A", "2"), Pair("B", "3"), Pair("TERM", "vt100")));
  EXPECT_EQ(plan->privileges.ambient, Capabilities{CAP_NET_RAW});
}

TEST(ExecPlanTest, ATerminalIsTheCallers) {
  const auto plan = make_exec_plan({.command = {"sh"}, .user = "0", .workdir = "/", .terminal = true},
                                   some_state(), {{"TERM", "xterm-256color"}, {"SECRET", "1"}});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->environment.at("TERM"), "xterm-256color");
  EXPECT_FALSE(plan->environment.contains("SECRET"));
  EXPECT_EQ(plan->user, "0");
  EXPECT_EQ(plan->workdir, "/");
}

TEST(ExecPlanTest, WantsACommandAndAnAbsolutePath) {
  EXPECT_FALSE(make_exec_plan({}, some_state(), {}));
  EXPECT_FALSE(make_exec_plan({.command = {""}}, some_state(), {}));
  EXPECT_FALSE(make_exec_plan({.command = {"x"}, .workdir = "y"}, some_state(), {}));
}

}  // namespace
}  // namespace vmfs
