// SPDX-License-Identifier: MIT
#include "fs/mount/operations.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <vector>

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/long_work.h"

namespace vmfs {
namespace {

// Below this a copy takes less time than the three more system calls of a splice: a cold tar in
// bench/compare.sh.
constexpr std::size_t smallest_splice = std::size_t{32} << 10;

Service& service(fuse_req_t request) {
  return *static_cast<Service*>(fuse_req_userdata(request));
}

// FUSE calls the root 1, whatever its inode number is: the two change places. No inode table, nothing to
// forget.
std::uint64_t swap_root(const Filesystem& filesystem, std::uint64_t number) {
  const auto root = static_cast<std::uint64_t>(filesystem.root());
  if (number == FUSE_ROOT_ID) return root;
  return number == root ? FUSE_ROOT_ID : number;
}

Inode to_inode(fuse_req_t request, fuse_ino_t node) {
  return Inode{swap_root(service(request).filesystem, node)};
}

fuse_ino_t to_node(fuse_req_t request, Inode inode) {
  return swap_root(service(request).filesystem, static_cast<std::uint64_t>(inode));
}

// Errors that say nothing about the state of the image are the business of whoever asked.
bool expected_error(int code) {
  return code == ENOENT || code == ENODATA || code == ENOTDIR || code == EISDIR || code == EINVAL ||
         code == ERANGE || code == ENOKEY || code == EOPNOTSUPP || code == ENAMETOOLONG || code == ENXIO;
}

void reply_error(fuse_req_t request, const Error& error) {
  if (!expected_error(error.code)) service(request).log_once(error);
  fuse_reply_err(request, error.code);
}

mode_t shown_mode(mode_t mode, const MountOptions& options) {
  const auto mask = S_ISDIR(mode) ? options.dmask : options.fmask;
  return mode & ~(options.umask.value_or(0) | mask.value_or(0));
}

struct stat to_stat(const Attributes& attributes, const MountOptions& options) {
  struct stat out{};
  out.st_ino = static_cast<ino_t>(attributes.inode);
  out.st_mode = shown_mode(attributes.mode, options);
  out.st_nlink = attributes.links;
  out.st_uid = options.uid.value_or(attributes.uid);
  out.st_gid = options.gid.value_or(attributes.gid);
  out.st_rdev = attributes.device;
  out.st_size = static_cast<off_t>(attributes.size);
  out.st_blocks = static_cast<blkcnt_t>(attributes.blocks);
  out.st_blksize = static_cast<blksize_t>(attributes.block_size);
  out.st_atim = attributes.accessed;
  out.st_mtim = attributes.modified;
  out.st_ctim = attributes.changed;
  return out;
}

fuse_entry_param to_entry(fuse_req_t request, const Attributes& attributes) {
  const MountOptions& options = service(request).options;
  fuse_entry_param entry{};
  entry.ino = to_node(request, attributes.inode);
  entry.generation = attributes.generation;
  entry.attr = to_stat(attributes, options);
  entry.attr_timeout = options.attr_timeout;
  entry.entry_timeout = options.entry_timeout;
  return entry;
}

void init(void* userdata, fuse_conn_info* connection) {
  auto& self = *static_cast<Service*>(userdata);
  const MountOptions& options = self.options;
  const auto want = [&](unsigned capability) { connection->want |= connection->capable & capability; };
  want(FUSE_CAP_SPLICE_WRITE | FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_CACHE_SYMLINKS);
  want(FUSE_CAP_READDIRPLUS | FUSE_CAP_EXPORT_SUPPORT | FUSE_CAP_NO_OPEN_SUPPORT |
       FUSE_CAP_NO_OPENDIR_SUPPORT);
  // The kernel checks ACLs only together with modes.
  if (options.default_permissions) want(FUSE_CAP_POSIX_ACL);
  // Stealing pages (SPLICE_MOVE, SPLICE_READ of what nobody writes) and asking again for what cannot change
  // is of no use.
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_AUTO_INVAL_DATA |
                                             FUSE_CAP_SPLICE_MOVE | FUSE_CAP_SPLICE_READ);
  connection->max_read = options.max_read;
  self.asked_to_open =
      (connection->capable & FUSE_CAP_NO_OPEN_SUPPORT) == 0 || self.filesystem.info().opens_can_fail;
  self.asked_to_open_directories = (connection->capable & FUSE_CAP_NO_OPENDIR_SUPPORT) == 0;
}

void lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  const Service& self = service(request);
  // Whoever exports the mount (NFS) looks up "." to find a node again, files included.
  const bool itself = std::string_view(name) == ".";
  const auto inode =
      itself ? to_inode(request, parent) : self.filesystem.lookup(to_inode(request, parent), name);
  if (!inode && inode.error().code == ENOENT) {
    fuse_entry_param absent{};
    absent.entry_timeout = self.options.negative_timeout;
    fuse_reply_entry(request, &absent);
    return;
  }
  if (!inode) return reply_error(request, inode.error());
  const auto attributes = self.filesystem.stat(*inode);
  if (!attributes) return reply_error(request, attributes.error());
  const fuse_entry_param entry = to_entry(request, *attributes);
  fuse_reply_entry(request, &entry);
}

void getattr(fuse_req_t request, fuse_ino_t node, fuse_file_info* /*file*/) {
  const Service& self = service(request);
  const auto attributes = self.filesystem.stat(to_inode(request, node));
  if (!attributes) return reply_error(request, attributes.error());
  const struct stat status = to_stat(*attributes, self.options);
  fuse_reply_attr(request, &status, self.options.attr_timeout);
}

void readlink(fuse_req_t request, fuse_ino_t node) {
  const auto target = service(request).filesystem.readlink(to_inode(request, node));
  if (!target) return reply_error(request, target.error());
  fuse_reply_readlink(request, target->c_str());
}

void open(fuse_req_t request, fuse_ino_t node, fuse_file_info* file) {
  Service& self = service(request);
  // Where an open cannot be refused the kernel need not ask again: ENOSYS says so once for the whole mount.
  if (!self.asked_to_open) {
    fuse_reply_err(request, ENOSYS);
    return;
  }
  const auto source = self.files.open(to_inode(request, node));
  if (!source) return reply_error(request, source.error());
  file->keep_cache = 1;
  fuse_reply_open(request, file);
}

void opendir(fuse_req_t request, fuse_ino_t /*node*/, fuse_file_info* file) {
  if (!service(request).asked_to_open_directories) {
    fuse_reply_err(request, ENOSYS);
    return;
  }
  file->keep_cache = 1;
  file->cache_readdir = 1;
  fuse_reply_open(request, file);
}

// Whether all of a run is there. A splice of an image that was cut short under us would be taken for the end
// of the file.
bool is_whole(const Extent& extent) {
  struct stat status{};
  return ::fstat(extent.fd, &status) == 0 &&
         (!S_ISREG(status.st_mode) ||
          extent.offset + extent.length <= static_cast<std::uint64_t>(status.st_size));
}

// The one place where bytes of a file leave the process: from host file to kernel without a copy of ours
// where the whole answer is one plain run, else gathered.
void reply_read(fuse_req_t request, const Source& source, std::uint64_t offset, std::size_t size) {
  const auto extent = source.map(offset, size);
  if (!extent) return reply_error(request, extent.error());
  if (extent->kind == Extent::Kind::data && extent->length == size && size >= smallest_splice &&
      is_whole(*extent)) {
    announce_long_work();
    const fuse_buf run{
        .size = size,
        .flags = static_cast<fuse_buf_flags>(FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK | FUSE_BUF_FD_RETRY),
        .mem = nullptr,
        .fd = extent->fd,
        .pos = static_cast<off_t>(extent->offset)};
    fuse_bufvec vector{.count = 1, .idx = 0, .off = 0, .buf = {run}};
    fuse_reply_data(request, &vector, static_cast<fuse_buf_copy_flags>(0));
    return;
  }
  thread_local std::vector<std::byte> buffer;
  if (buffer.size() < size) buffer.resize(size);
  if (const auto done = vmfs::read(source, offset, std::span(buffer).first(size)); !done) {
    return reply_error(request, done.error());
  }
  fuse_reply_buf(request, reinterpret_cast<const char*>(buffer.data()), size);
}

void read(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset, fuse_file_info* /*file*/) {
  Service& self = service(request);
  const auto source = self.files.open(to_inode(request, node));
  if (!source) return reply_error(request, source.error());
  const auto start = static_cast<std::uint64_t>(offset);
  if (offset < 0 || start >= (*source)->size()) {
    fuse_reply_buf(request, nullptr, 0);
    return;
  }
  const std::uint64_t left = (*source)->size() - start;
  reply_read(request, **source, start,
             std::min({left, std::uint64_t{size}, std::uint64_t{self.options.max_read}}));
}

// The first byte at or after `offset` that is data (or, with `hole`, that is not), or the end of the file.
// Maps can have billions of pieces; behind the first of them everything passes for data, as lseek(2) allows.
Result<std::uint64_t> seek(const Source& source, std::uint64_t offset, bool hole) {
  constexpr int most_pieces = 65536;
  constexpr int many_pieces = 64;
  for (int pieces = 0; offset < source.size(); ++pieces) {
    if (pieces == many_pieces) announce_long_work();
    if (pieces == most_pieces) return hole ? source.size() : offset;
    const Extent extent = TRY(source.map(offset, source.size() - offset));
    if ((extent.kind == Extent::Kind::zero) == hole) return offset;
    offset += extent.length;
  }
  return offset;
}

void lseek(fuse_req_t request, fuse_ino_t node, off_t offset, int whence, fuse_file_info* /*file*/) {
  if (whence != SEEK_DATA && whence != SEEK_HOLE) {
    fuse_reply_err(request, EINVAL);
    return;
  }
  const auto source = service(request).files.open(to_inode(request, node));
  if (!source) return reply_error(request, source.error());
  const std::uint64_t size = (*source)->size();
  const auto found =
      offset < 0 ? size : seek(**source, static_cast<std::uint64_t>(offset), whence == SEEK_HOLE);
  if (!found) return reply_error(request, found.error());
  if (offset < 0 || static_cast<std::uint64_t>(offset) >= size || (whence == SEEK_DATA && *found == size)) {
    fuse_reply_err(request, ENXIO);
    return;
  }
  fuse_reply_lseek(request, static_cast<off_t>(*found));
}

// Collects the entries of one readdir reply.
class DirectoryReply {
 public:
  DirectoryReply(fuse_req_t request, std::size_t size, bool plus)
      : request_(request), size_(size), plus_(plus) {
    if (buffer().size() < size) buffer().resize(size);
  }

  // False when the entry does not fit any more.
  bool add(const DirectoryEntry& entry) {
    name_.assign(entry.name);
    const std::size_t left = size_ - used_;
    const std::size_t needed = plus_ ? add_plus(entry, left) : add_plain(entry, left);
    if (needed > left) return false;
    used_ += needed;
    return true;
  }

  void send() { fuse_reply_buf(request_, buffer().data(), used_); }

  // Whoever asked for attributes goes on into the directories.
  [[nodiscard]] const std::vector<Inode>& directories() const { return directories_; }

 private:
  static std::vector<char>& buffer() {
    thread_local std::vector<char> bytes;
    return bytes;
  }
  char* end() { return buffer().data() + used_; }

  std::size_t add_plain(const DirectoryEntry& entry, std::size_t left) {
    struct stat status{};
    status.st_ino = static_cast<ino_t>(entry.inode);
    status.st_mode = static_cast<mode_t>(DTTOIF(entry.type));
    return fuse_add_direntry(request_, end(), left, name_.c_str(), &status, static_cast<off_t>(entry.next));
  }

  std::size_t add_plus(const DirectoryEntry& entry, std::size_t left) {
    fuse_entry_param param{};
    param.attr.st_ino = static_cast<ino_t>(entry.inode);
    param.attr.st_mode = static_cast<mode_t>(DTTOIF(entry.type));
    // Without attributes (node 0) the kernel takes the name alone and asks when it must: right for "." and
    // "..", which are not looked up, and for an inode that cannot be read, so that the error appears where it
    // belongs.
    if (name_ != "." && name_ != "..") {
      if (const auto attributes = service(request_).filesystem.stat(entry.inode)) {
        param = to_entry(request_, *attributes);
        if (S_ISDIR(attributes->mode)) directories_.push_back(entry.inode);
      }
    }
    return fuse_add_direntry_plus(request_, end(), left, name_.c_str(), &param,
                                  static_cast<off_t>(entry.next));
  }

  const fuse_req_t request_;
  const std::size_t size_;
  const bool plus_;
  std::size_t used_ = 0;
  std::string name_;
  std::vector<Inode> directories_;
};

// Behind its reply there is no request any more that an error could be told to.
void announce(const Filesystem& filesystem, std::span<const Inode> directories) {
  try {
    if (!directories.empty()) filesystem.will_list(directories);
  } catch (const std::exception&) {
    return;  // it is a hint
  }
}

void list(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset, bool plus) {
  DirectoryReply reply(request, size, plus);
  bool any = false;
  const auto done = service(request).filesystem.list(
      to_inode(request, node), static_cast<std::uint64_t>(offset), [&](const DirectoryEntry& entry) {
        const bool fits = reply.add(entry);
        any = any || fits;
        return fits;
      });
  // What can be read is served; a call that goes on behind the last entry gets the error again, alone.
  if (!done && !any) return reply_error(request, done.error());
  const Filesystem& filesystem = service(request).filesystem;
  reply.send();
  announce(filesystem, reply.directories());
}

void readdir(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset, fuse_file_info* /*file*/) {
  list(request, node, size, offset, false);
}

void readdirplus(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset,
                 fuse_file_info* /*file*/) {
  list(request, node, size, offset, true);
}

void statfs(fuse_req_t request, fuse_ino_t node) {
  const auto usage = service(request).filesystem.usage_at(to_inode(request, node));
  if (!usage) return reply_error(request, usage.error());
  struct statvfs out{};
  out.f_bsize = out.f_frsize = usage->block_size;
  out.f_blocks = usage->blocks;
  out.f_bfree = usage->blocks_free;
  out.f_bavail = usage->blocks_available;
  out.f_files = usage->files;
  out.f_ffree = out.f_favail = usage->files_free;
  out.f_fsid = usage->id;
  out.f_namemax = usage->name_max;
  fuse_reply_statfs(request, &out);
}

// The two-step protocol of getxattr(2) and listxattr(2): size 0 asks for the size.
void reply_xattr(fuse_req_t request, const std::string& value, std::size_t size) {
  if (size == 0) {
    fuse_reply_xattr(request, value.size());
  } else if (value.size() > size) {
    fuse_reply_err(request, ERANGE);
  } else {
    fuse_reply_buf(request, value.data(), value.size());
  }
}

void getxattr(fuse_req_t request, fuse_ino_t node, const char* name, std::size_t size) {
  const auto value = service(request).filesystem.xattr(to_inode(request, node), name);
  if (!value) return reply_error(request, value.error());
  reply_xattr(request, *value, size);
}

void listxattr(fuse_req_t request, fuse_ino_t node, std::size_t size) {
  const auto names = service(request).filesystem.xattr_names(to_inode(request, node));
  if (!names) return reply_error(request, names.error());
  const bool trusted = service(request).options.trusted_attributes && fuse_req_ctx(request)->uid == 0;
  std::string list;
  for (const std::string& name : *names) {
    if (trusted || !name.starts_with("trusted.")) list.append(name).push_back('\0');
  }
  reply_xattr(request, list, size);
}

// No exception may cross libfuse, which is C.
template <auto Operation, class... Arguments>
void guarded(fuse_req_t request, Arguments... arguments) {
  try {
    Operation(request, arguments...);
  } catch (const std::bad_alloc&) {
    fuse_reply_err(request, ENOMEM);
  } catch (...) {
    fuse_reply_err(request, EIO);
  }
}

fuse_lowlevel_ops make_operations() {
  fuse_lowlevel_ops operations{};
  operations.init = init;
  operations.lookup = guarded<lookup>;
  operations.getattr = guarded<getattr>;
  operations.readlink = guarded<readlink>;
  operations.open = guarded<open>;
  operations.read = guarded<read>;
  operations.opendir = guarded<opendir>;
  operations.readdir = guarded<readdir>;
  operations.readdirplus = guarded<readdirplus>;
  operations.statfs = guarded<statfs>;
  operations.getxattr = guarded<getxattr>;
  operations.listxattr = guarded<listxattr>;
  operations.lseek = guarded<lseek>;
  return operations;
}

}  // namespace

void Service::log_once(const Error& error) {
  constexpr std::size_t most = 256;
  {
    const std::lock_guard lock(mutex_);
    if (logged_.size() >= most || !logged_.insert(error.what).second) return;
  }
  log(error.what);
}

const fuse_lowlevel_ops& fuse_operations() {
  static const fuse_lowlevel_ops operations = make_operations();
  return operations;
}

}  // namespace vmfs
