// SPDX-License-Identifier: MIT
#include <cerrno>
#include <cstdio>
#include <memory>
#include <optional>
#include <system_error>
#include <unordered_map>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/path.h"
#include "launcher/commands/commands.h"
#include "launcher/files/acl.h"
#include "launcher/files/directory.h"
#include "launcher/files/guest_tree.h"
#include "launcher/files/output.h"
#include "launcher/files/pax_header.h"
#include "launcher/files/progress.h"
#include "launcher/files/report.h"

namespace vmfs {
namespace {

struct TarCommand {
  ImageOptions image;
  std::vector<std::string> paths;
  std::string file = "-";
};

constexpr std::uint64_t block = 512;
constexpr std::uint64_t record_size = 20 * block;
// Smaller holes are not worth a map.
constexpr std::uint64_t least_hole = 4096;

// As tar: without the slash at the begin, and without what comes before a "..".
std::string member_name(std::string_view path) {
  std::string name;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view component = path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    if (component == "..") name.clear();
    if (component.empty() || component == "." || component == "..") continue;
    if (!name.empty()) name += '/';
    name += component;
  }
  return name.empty() ? "." : name;
}

// The text form of a list as SCHILY.acl.* has it.
std::string acl_text(const std::vector<AclEntry>& entries) {
  std::string text;
  for (const AclEntry& entry : entries) {
    if (!text.empty()) text += ',';
    switch (entry.tag) {
      case AclEntry::Tag::user_object:
        text += "user::";
        break;
      case AclEntry::Tag::user:
        text += fmt::format("user:{}:", entry.id);
        break;
      case AclEntry::Tag::group_object:
        text += "group::";
        break;
      case AclEntry::Tag::group:
        text += fmt::format("group:{}:", entry.id);
        break;
      case AclEntry::Tag::mask:
        text += "mask::";
        break;
      case AclEntry::Tag::other:
        text += "other::";
        break;
    }
    text += (entry.permissions & 4U) != 0 ? 'r' : '-';
    text += (entry.permissions & 2U) != 0 ? 'w' : '-';
    text += (entry.permissions & 1U) != 0 ? 'x' : '-';
  }
  return text;
}

class TarWriter final : public WalkVisitor {
 public:
  TarWriter(const Filesystem& filesystem, int fd) : filesystem_(filesystem), output_(fd) {}

  WalkStep visit(const WalkEntry& entry) override {
    if (const auto written = add(entry); !written) {
      write_error_ = written.error();
      return WalkStep::stop;
    }
    progress_.add(0, 1);
    return WalkStep::into;
  }

  void error(const std::string& path, const Error& error) override { complain("cannot read", path, error); }

  void missing(const std::string& path, const Error& error) { complain("cannot access", path, error); }

  Result<int> finish() {
    if (!write_error_) {
      const std::uint64_t end = output_.position() + 2 * block;
      auto written = output_.append_zeros(2 * block + (record_size - end % record_size) % record_size);
      if (written) written = output_.flush();
      if (!written) write_error_ = written.error();
    }
    progress_.hide();
    if (write_error_) return fail(write_error_->code, "write error: {}", explain(*write_error_));
    return report_.finish();
  }

 private:
  void complain(std::string_view doing, const std::string& path, const Error& error) {
    progress_.hide();
    report_.error(doing, path, error);
  }

  /// Adds a file. An error is one of writing; what cannot be read is reported.
  Result<void> add(const WalkEntry& entry) {
    const Attributes& file = entry.attributes;
    if (S_ISSOCK(file.mode)) {
      progress_.hide();
      report_.note(entry.path, "socket ignored");
      return {};
    }
    PaxMember member{.path = entry.path, .attributes = file, .link = {}, .records = {}, .runs = {}};
    if (S_ISDIR(file.mode)) member.path += '/';
    if (const auto first = find_first_link(entry)) {
      member.hard_link = true;
      member.link = *first;
      return output_.append(pax_header(member));
    }
    if (const auto described = describe(entry, member); !described) {
      complain("cannot read", entry.path, described.error());
      return {};
    }
    if (S_ISREG(file.mode)) return add_file(entry, member);
    return output_.append(pax_header(member));
  }

  [[nodiscard]] std::optional<std::string> find_first_link(const WalkEntry& entry) {
    if (entry.attributes.links < 2 || S_ISDIR(entry.attributes.mode)) return std::nullopt;
    const auto [first, fresh] = links_.emplace(entry.inode, entry.path);
    if (fresh) return std::nullopt;
    return first->second;
  }

  Result<void> describe(const WalkEntry& entry, PaxMember& member) const {
    if (S_ISLNK(entry.attributes.mode)) member.link = TRY(filesystem_.readlink(entry.inode));
    const auto names = TRY(filesystem_.xattr_names(entry.inode));
    for (const std::string& name : names) {
      const std::string value = TRY(filesystem_.xattr(entry.inode, name));
      if (name == "system.posix_acl_access" || name == "system.posix_acl_default") {
        const auto entries = parse_acl(value);
        if (!entries) return fail(EUCLEAN, "{}: no access control list", name);
        member.records.emplace_back(name.ends_with("access") ? "SCHILY.acl.access" : "SCHILY.acl.default",
                                    acl_text(*entries));
      } else {
        member.records.emplace_back(xattr_keyword(name), value);
      }
    }
    return {};
  }

  Result<void> add_file(const WalkEntry& entry, PaxMember& member) {
    const auto source = filesystem_.open(entry.inode);
    auto runs = source ? find_data_runs(**source) : std::unexpected(source.error());
    if (!runs) {
      complain("cannot read", entry.path, runs.error());
      return {};
    }
    member.attributes.size = (*source)->size();
    set_runs(member, *std::move(runs));
    TRY(output_.append(pax_header(member)));
    for (const DataRun& run : member.runs) TRY(add_run(**source, run, entry.path));
    return output_.append_zeros((block - stored_size(member) % block) % block);
  }

  static void set_runs(PaxMember& member, std::vector<DataRun> runs) {
    const std::uint64_t size = member.attributes.size;
    std::uint64_t data = 0;
    for (const DataRun& run : runs) data += run.length;
    member.sparse = size - data >= least_hole;
    if (!member.sparse) {
      member.runs.assign(size == 0 ? 0 : 1, {.offset = 0, .length = size});
      return;
    }
    // A map ends where the file does.
    if (runs.empty() || runs.back().offset + runs.back().length < size)
      runs.push_back({.offset = size, .length = 0});
    member.runs = std::move(runs);
  }

  // What cannot be read is zeros: the header has promised its length.
  Result<void> add_run(const Source& source, const DataRun& run, const std::string& path) {
    for (std::uint64_t done = 0; done < run.length;) {
      const auto room = TRY(output_.room());
      const auto into =
          room.first(static_cast<std::size_t>(std::min<std::uint64_t>(room.size(), run.length - done)));
      if (const auto got = read(source, run.offset + done, into); !got) {
        complain("padding with zeros", path, got.error());
        return output_.append_zeros(run.length - done);
      }
      output_.take(into.size());
      done += into.size();
      progress_.add(into.size());
    }
    return {};
  }

  const Filesystem& filesystem_;
  Output output_;
  Progress progress_;
  Report report_;
  std::unordered_map<Inode, std::string> links_;
  std::optional<Error> write_error_;
};

Result<int> tar(TarCommand& command) {
  const bool to_stdout = command.file == "-";
  if (to_stdout && ::isatty(STDOUT_FILENO) != 0) {
    fmt::print(stderr, "vmfs: refusing to write an archive to a terminal; use -f FILE or a pipe\n");
    return 2;
  }
  const int fd = to_stdout ? STDOUT_FILENO
                           : ::open(command.file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
  if (fd < 0) return fail(errno, "{}: {}", command.file, std::generic_category().message(errno));
  const GuestTree tree = TRY(GuestTree::open(command.image));
  const Filesystem& filesystem = tree.filesystem();
  // An old archive stays until there is something to write. What is no file has no length.
  if (!to_stdout && ::ftruncate(fd, 0) != 0 && errno != EINVAL)
    return fail(errno, "{}: {}", command.file, std::generic_category().message(errno));

  if (command.paths.empty()) command.paths.emplace_back(".");
  TarWriter writer(filesystem, fd);
  for (const std::string& path : command.paths) {
    const auto inode = resolve_link(filesystem, path);
    if (inode) {
      walk_tree(filesystem, member_name(path), *inode, writer);
    } else {
      writer.missing(path, inode.error());
    }
  }
  auto status = writer.finish();
  // Some file systems tell only now that they had no room.
  if (!to_stdout && ::close(fd) != 0 && status)
    return fail(errno, "write error: {}", std::generic_category().message(errno));
  return status;
}

}  // namespace

Command add_tar(CommandLine line) {
  auto command = std::make_shared<TarCommand>();
  line.argument("IMAGE", command->image.image, "disk image, or a block device");
  line.optional_arguments("PATH", command->paths, "files and directories in the image; default: all");
  line.option("-f,--file", command->file, "write the archive here; default: -, standard output");
  add_image_options(line, command->image);
  line.footer(
      "A pax archive with all that the file system has: nanoseconds, hard links, holes, device files, "
      "extended\n"
      "attributes, ACLs and capabilities. Owners are numbers. Extract all of it as root with\n"
      "  tar -x -p --acls --xattrs --xattrs-include='*'     or     bsdtar -x -p");
  return [command] { return tar(*command); };
}

}  // namespace vmfs
