// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <memory>

#include <unistd.h>

#include "fs/path.h"
#include "launcher/commands/commands.h"
#include "launcher/files/find_expression.h"
#include "launcher/files/guest_tree.h"
#include "launcher/files/report.h"

namespace vmfs {
namespace {

struct FindCommand {
  ImageOptions image;
};

class Find final : public WalkVisitor {
 public:
  Find(const FindExpression& expression, Report& report) : expression_(expression), report_(report) {}

  WalkStep visit(const WalkEntry& entry) override {
    FindVisit visit{.entry = entry, .print = print_};
    if (entry.depth >= expression_.min_depth() && entry.depth <= expression_.max_depth())
      expression_.apply(visit);
    quit = visit.quit;
    if (quit) return WalkStep::stop;
    return visit.prune || entry.depth >= expression_.max_depth() ? WalkStep::over : WalkStep::into;
  }

  void error(const std::string& path, const Error& error) override {
    report_.error("cannot read", path, error);
  }

  bool quit = false;

 private:
  const FindExpression& expression_;
  Report& report_;
  const std::function<void(const std::string&)> print_ = [](const std::string& text) {
    fmt::print("{}", text);
  };
};

Result<int> find(const FindCommand& command, const std::vector<std::string>& words) {
  const GuestTree tree = TRY(GuestTree::open(command.image));
  const Accounts accounts = Accounts::read(tree.filesystem());
  FindContext context{.filesystem = tree.filesystem(), .accounts = accounts};
  ::clock_gettime(CLOCK_REALTIME, &context.now);
  context.printable_only = ::isatty(STDOUT_FILENO) != 0;
  const auto begin = std::ranges::find_if(words, FindExpression::begins_with);
  const auto expression = FindExpression::parse(std::span(begin, words.end()), context);
  if (!expression) {
    fmt::print(stderr, "vmfs: find: {}\n", expression.error().what);
    return 2;
  }
  std::vector<std::string> paths(words.begin(), begin);
  if (paths.empty()) paths.emplace_back("/");
  Report report;
  Find visitor(*expression, report);
  for (const std::string& path : paths) {
    if (visitor.quit) break;
    const auto inode = resolve_link(tree.filesystem(), path);
    if (inode) {
      walk_tree(tree.filesystem(), path, *inode, visitor);
    } else {
      report.error("cannot access", path, inode.error());
    }
  }
  return report.finish();
}

}  // namespace

Command add_find(CommandLine line) {
  auto command = std::make_shared<FindCommand>();
  line.argument("IMAGE", command->image.image, "disk image, or a block device");
  // Letters belong to the expression, whose words begin with one hyphen.
  line.help_by_long_name_only();
  add_image_options(line, command->image, "--partition", "--add");
  line.keep_the_rest();
  line.footer(
      "vmfs find [OPTIONS] IMAGE [PATH...] [EXPRESSION]\n"
      "Finds files as find(1) does, in the order of the names' bytes; default PATH: /. The expression knows\n"
      "  ( ) ! -not -a -and -o -or ,   -maxdepth N -mindepth N   -print -print0 -printf FORMAT -quit -prune "
      "-true -false\n"
      "  -name -iname -path -ipath PATTERN   -type fdlpsbc   -size N[cwbkMG]   -perm [-/]MODE   -empty\n"
      "  -user -group NAME   -uid -gid -links -inum [+-]N   -mtime [+-]DAYS   -newer PATH   -newermt TIME\n"
      "Users, groups and the PATH of -newer are the guest's. A wrong expression ends with status 2.");
  return [command, line] { return find(*command, line.rest()); };
}

}  // namespace vmfs
