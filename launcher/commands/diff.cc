// SPDX-License-Identifier: MIT
#include <cstdio>
#include <memory>
#include <tuple>

#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "formats/text.h"
#include "fs/path.h"
#include "launcher/commands/commands.h"
#include "launcher/files/file_json.h"
#include "launcher/files/file_text.h"
#include "launcher/files/guest_tree.h"
#include "launcher/files/progress.h"
#include "launcher/files/report.h"
#include "launcher/files/tree_diff.h"

namespace vmfs {
namespace {

using nlohmann::json;

constexpr int exit_same = 0;
constexpr int exit_different = 1;
constexpr int exit_trouble = 2;

/// What the options of one side add to those of both.
struct Side {
  std::string image;
  std::string snapshot;
  std::string partition;
  std::vector<std::string> added;
};

struct DiffCommand {
  ImageOptions both;
  Side before;
  Side after;
  std::string path = "/";
  bool times = false;
  bool as_json = false;
};

ImageOptions options_of(const DiffCommand& command, const Side& side) {
  ImageOptions options = command.both;
  options.image = side.image;
  if (!side.snapshot.empty()) options.snapshot = side.snapshot;
  if (!side.partition.empty()) options.partition = side.partition;
  options.added.insert(options.added.end(), side.added.begin(), side.added.end());
  return options;
}

/// What changed, in words: "mode 0644 -> 0600".
std::string describe(const Difference& difference, const Filesystem& before, const Filesystem& after,
                     Change change) {
  const Attributes& old = *difference.before;
  const Attributes& now = *difference.after;
  switch (change) {
    case Change::type:
      return fmt::format("type {} -> {}", type_word(old.mode), type_word(now.mode));
    case Change::content:
      if (old.size == now.size) return "content";
      return fmt::format("content, size {} -> {}", old.size, now.size);
    case Change::target:
      return fmt::format("target {} -> {}", printable(before.readlink(old.inode).value_or("?")),
                         printable(after.readlink(now.inode).value_or("?")));
    case Change::device:
      return fmt::format("device {}:{} -> {}:{}", major(old.device), minor(old.device), major(now.device),
                         minor(now.device));
    case Change::mode:
      return fmt::format("mode {:04o} -> {:04o}", old.mode & 07777U, now.mode & 07777U);
    case Change::owner:
      return fmt::format("owner {}:{} -> {}:{}", old.uid, old.gid, now.uid, now.gid);
    case Change::xattrs:
      return printable(fmt::format("xattrs {}", fmt::join(difference.xattrs, " ")));
    case Change::modified:
      return fmt::format("modified {} -> {}", iso_time(old.modified), iso_time(now.modified));
  }
  return {};
}

void print_text(const Difference& difference, const Filesystem& before, const Filesystem& after) {
  const bool in_both = difference.before && difference.after;
  const char letter = in_both ? 'C' : difference.after ? 'A' : 'D';
  std::string changes;
  for (const Change change : difference.changes) {
    changes += (changes.empty() ? " (" : "; ") + describe(difference, before, after, change);
  }
  // Only a terminal obeys what a name may hold.
  const std::string path = ::isatty(STDOUT_FILENO) != 0 ? printable(difference.path) : difference.path;
  fmt::print("{} {}{}{}\n", letter, path, changes, changes.empty() ? "" : ")");
}

class Trees {
 public:
  explicit Trees(const DiffCommand& command, GuestTree before, GuestTree after)
      : command_(command),
        before_(std::move(before)),
        after_(std::move(after)),
        accounts_before_(Accounts::read(before_.filesystem())),
        accounts_after_(Accounts::read(after_.filesystem())) {}

  Result<int> compare() {
    const auto before = resolve_link(before_.filesystem(), command_.path);
    if (!before)
      return fail(before.error().code, "{}: '{}': {}", command_.before.image, command_.path,
                  before.error().what);
    const auto after = resolve_link(after_.filesystem(), command_.path);
    if (!after)
      return fail(after.error().code, "{}: '{}': {}", command_.after.image, command_.path,
                  after.error().what);
    TreeDiff diff(before_.filesystem(), after_.filesystem(), command_.times,
                  {.difference = [this](const Difference& difference) { tell(difference); },
                   .error =
                       [this](const std::string& path, const Error& error) {
                         progress_.hide();
                         report_.error("cannot compare", path, error);
                       },
                   .tick = [this](std::uint64_t bytes) { progress_.add(bytes); }});
    diff.compare(command_.path, *before, *after);
    progress_.hide();
    if (command_.as_json) fmt::print("{}\n", list_.dump(2, ' ', false, json::error_handler_t::replace));
    if (report_.finish() != 0) return exit_trouble;
    return different_ ? exit_different : exit_same;
  }

 private:
  void tell(const Difference& difference) {
    different_ = true;
    progress_.hide();
    if (!command_.as_json) return print_text(difference, before_.filesystem(), after_.filesystem());
    const bool in_both = difference.before && difference.after;
    json out = {{"change", in_both ? "changed" : difference.after ? "added" : "removed"}};
    set_text(out, "path", difference.path);
    if (difference.before)
      out["before"] = to_json(before_.filesystem(), *difference.before, accounts_before_);
    if (difference.after) out["after"] = to_json(after_.filesystem(), *difference.after, accounts_after_);
    if (in_both) out["what"] = json::array();
    for (const Change change : difference.changes) out["what"].push_back(change_word(change));
    for (const std::string& xattr : difference.xattrs) {
      json name = {{"change", xattr[0] == '+' ? "added" : xattr[0] == '-' ? "removed" : "changed"}};
      set_text(name, "name", xattr.substr(1));
      out["xattrs"].push_back(std::move(name));
    }
    list_.push_back(std::move(out));
  }

  const DiffCommand& command_;
  const GuestTree before_;
  const GuestTree after_;
  const Accounts accounts_before_;
  const Accounts accounts_after_;
  Report report_;
  Progress progress_;
  json list_ = json::array();
  bool different_ = false;
};

Result<int> diff(const DiffCommand& command) {
  const ImageOptions options_before = options_of(command, command.before);
  const ImageOptions options_after = options_of(command, command.after);
  const auto images_before = TRY(open_images_from_options(options_before));
  const auto images_after = TRY(open_images_from_options(options_after));
  TRY(enter_sandbox({}));
  auto before = TRY(GuestTree::look(options_before, images_before));
  auto after = TRY(GuestTree::look(options_after, images_after));
  Trees trees(command, std::move(before), std::move(after));
  return trees.compare();
}

/// As diff(1): trouble is 2.
Result<int> run(const DiffCommand& command) {
  auto status = diff(command);
  if (status) return status;
  std::fputs(fmt::format("vmfs: {}\n", printable(status.error().what)).c_str(), stderr);
  return exit_trouble;
}

}  // namespace

Command add_diff(CommandLine line) {
  auto command = std::make_shared<DiffCommand>();
  line.argument("IMAGE_A", command->before.image, "disk image, or a block device");
  line.argument("IMAGE_B", command->after.image, "another one, or the same");
  line.optional_argument("PATH", command->path, "file or directory to compare; default: /");
  line.flag("--times", command->times, "compare when files were modified, too");
  line.flag("--json", command->as_json, "print JSON: a list of {path, change, what, before, after, xattrs}");
  for (const auto& [side, letter, only] : {std::tuple(&command->before, "-a", ", of IMAGE_A only"),
                                           std::tuple(&command->after, "-b", ", of IMAGE_B only")}) {
    line.option(fmt::format("--snapshot{}", letter), side->snapshot, fmt::format("as --snapshot{}", only));
    line.option(fmt::format("--partition{}", letter), side->partition, fmt::format("as --partition{}", only));
    line.list(fmt::format("--add{}", letter), side->added, fmt::format("as --add{}", only), "FILE");
  }
  add_image_options(line, command->both, "-p,--partition", "--add");
  line.footer(
      "A line for each path that differs: A (added in IMAGE_B), D (deleted) or C (changed, and what: type, "
      "content, "
      "target, device, mode, owner, xattrs). Exit status: 0 the trees are the same, 1 they differ, 2 "
      "trouble.");
  return [command] { return run(*command); };
}

}  // namespace vmfs
