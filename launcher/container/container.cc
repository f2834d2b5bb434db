// SPDX-License-Identifier: MIT
#include "launcher/container/container.h"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "launcher/container/descriptors.h"
#include "launcher/container/front_process.h"
#include "launcher/container/id_map.h"
#include "launcher/container/network.h"
#include "launcher/container/overlay_folder.h"
#include "launcher/container/process.h"
#include "launcher/container/record.h"
#include "launcher/container/serving.h"
#include "launcher/container/session.h"
#include "launcher/container/stop.h"
#include "launcher/container/syscalls.h"
#include "launcher/container/volumes.h"
#include "launcher/image_options.h"

// Four processes make a container. The launcher, this one, is outside, starts the others and waits for them.
// The keeper, in the container's user namespace, sets it up; its child, the server, reads the image's file
// systems and serves them, in a sandbox. The container's first process, PID 1 of its own namespace, is a
// child of the launcher too, so that its exit status arrives here. Each ends when another does:
//   the launcher dies: the others are killed (PR_SET_PDEATHSIG), and the keeper sees the lifeline end
//   the keeper dies: the server is killed (PR_SET_PDEATHSIG), and the launcher kills the container
//   the server dies: the keeper sees it, and ends
//   fuse-overlayfs dies, where the keeper needs it: the keeper sees it, and ends
//   what carries the container's packets dies: the launcher kills the container
//   the container ends: the keeper sees it, and ends; the launcher has its status
// A container that may go to the background has a fifth process, in front of the launcher, see
// front_process.h; commands in it that come later are children of others, see join.cc. (What is called the
// server below is the keeper with its child.) Mounts live in the namespaces of these processes and vanish
// with them.

namespace vmfs {
namespace {

// The descriptors between this process and the others.
struct Wiring {
  Fd channel;         // to the server
  Fd server_channel;  // its end
  Fd console;         // to the container's first process
  Fd inner_console;
  Fd lifeline;  // held open by this process alone
  Fd server_lifeline;
};

Result<Wiring> make_wiring() {
  int channel[2];
  int console[2];
  int lifeline[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) != 0)
    return failed_call("socketpair", errno);
  Wiring wiring;
  wiring.channel = Fd(channel[0]);
  wiring.server_channel = Fd(channel[1]);
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, console) != 0)
    return failed_call("socketpair", errno);
  wiring.console = Fd(console[0]);
  wiring.inner_console = Fd(console[1]);
  if (::pipe2(lifeline, O_CLOEXEC) != 0) return failed_call("pipe", errno);
  wiring.server_lifeline = Fd(lifeline[0]);
  wiring.lifeline = Fd(lifeline[1]);
  return wiring;
}

// Where the kernel keeps no user attributes in memory, overlayfs cannot note that a directory hides another.
void warn_of_old_kernel(const Plan& plan) {
  if (!plan.overlay.empty() || plan.read_only) return;
  const Fd file(::memfd_create("probe", MFD_CLOEXEC));
  if (::fsetxattr(file.get(), "user.vmfs", "", 0, 0) == 0 || errno != EOPNOTSUPP) return;
  print_warning(
      "this kernel (older than 6.6) keeps no attributes in memory: a directory that is removed cannot be "
      "made anew; "
      "--overlay DIR with a folder on a disk has no such limit");
}

// What every container has unless it was not asked for by name and there is no place to write it down.
Result<Record> make_record(const Plan& plan, bool groups, bool grouped) {
  auto record = Record::make(plan, groups, grouped);
  if (record || !plan.name.empty() || plan.detach) return record;
  print_warning(fmt::format("the container has no name: {}", record.error().what));
  return Record();
}

// Of a pid namespace whose root has called reboot(2), to power off and to start again: reboot(2).
bool is_status_of_reboot(int status) {
  return status == 128 + SIGINT || status == 128 + SIGHUP;
}

// Without one an init may say itself that it needs it; a limit cannot be had.
Result<Group> make_group(const Plan& plan, const IdMaps& maps) {
  if (!wants_group(plan.limits, plan.boot)) return Group();
  auto group = Group::make(plan.limits, maps);
  if (!group && plan.limits == Limits{}) return Group(group.error());
  return group;
}

class Container {
 public:
  struct Parts {
    IdMaps maps;
    std::vector<Fd> volumes;
    Streams streams;
    Report report;
    Wiring wiring;
    Group group;
    Record record;
    FrontProcess front;
  };

  Container(const Plan& plan, const Look& look, Parts parts)
      : plan_(plan),
        look_(look),
        maps_(std::move(parts.maps)),
        volumes_(std::move(parts.volumes)),
        record_(std::move(parts.record)),
        session_(std::move(parts.streams), std::move(parts.wiring.console), plan),
        report_(std::move(parts.report)),
        wiring_(std::move(parts.wiring)),
        group_(std::move(parts.group)),
        front_(std::move(parts.front)) {
    if (plan.boot) session_.shut_down_by(Stop(plan.stop_signal, plan.stop_timeout));
  }
  ~Container() { group_.remove(); }
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;

  Result<int> run() {
    auto status = live();
    record_.note_end(status.value_or(exit_own_failure));
    return status;
  }

 private:
  Result<int> live() {
    // A request to stop that comes while an init starts is not lost: session_.begin() finds it.
    const sigset_t forwarded = forwarded_signals();
    if (plan_.boot) ::sigprocmask(SIG_BLOCK, &forwarded, &mask_before_);
    if (const auto started = start(); !started) {
      // The server knows better what it was, if it has failed.
      if (const auto failure = end_early()) return tell(*failure);
      return std::unexpected(started.error());
    }
    session_.begin(container_pid_);
    while (!session_.has_ended()) {
      Poller poller;
      watch(poller);
      poller.wait(session_.patience());
      if (session_.streams().asked_to_leave()) leave_alone();
    }
    return end();
  }

  Result<int> end() {
    // They keep the container's mounts, and what serves these waits for their end.
    entrances_.clear();
    const int server_status = wait_for(server_pid_);
    session_.finish();
    if (!outcome_known_) learn_outcome();
    if (failure_) return tell(*failure_);
    if (server_lost_)
      return tell({exit_own_failure, fmt::format("the image's server ended with status {}", server_status)});
    if (carrier_lost_)
      return tell({exit_own_failure, "the container's network has ended: somebody has killed pasta"});
    if (plan_.boot && is_status_of_reboot(session_.status())) return 0;
    return session_.status();
  }

  int tell(const Failure& failure) {
    const std::string line = fmt::format("vmfs: {}\n", failure.message);
    if (log_ != nullptr && detached_) {
      log_->append(line);
    } else {
      fmt::print(stderr, "{}", line);
    }
    return failure.status;
  }

  void watch(Poller& poller) {
    front_.watch(poller, [this] {
      abandoned_ = true;
      session_.kill();
    });
    poller.add(carrier_.fd(), POLLIN, [this](short) { lose_carrier(); });
    poller.add(server_.get(), POLLIN, [this](short) { lose_server(); });
    record_.control().watch(poller,
                            [this](const Fd& asker, Message message) { answer(asker, std::move(message)); });
    session_.watch(poller);
    if (!outcome_known_) poller.add(report_.reader(), POLLIN, [this](short) { learn_outcome(); });
  }

  Result<void> start() {
    if (plan_.detach) {
      log_ = TRY(record_.begin_log());
      session_.streams().log_to(*log_);
      session_.streams().leave_all_but_messages();
    }
    if (front_.has_front() && record_) session_.streams().set_detach_keys(plan_.detach_keys);
    server_pid_ = ::fork();
    if (server_pid_ < 0) return failed_call("fork", errno);
    if (server_pid_ == 0) be_server();
    wiring_.server_channel.reset();
    wiring_.inner_console.reset();
    wiring_.server_lifeline.reset();
    report_.close_writer();
    session_.streams().close_inner();
    server_ = Fd(sys::pidfd_open(server_pid_));
    TRY(await_step());
    TRY(write_id_maps(maps_, server_pid_));
    map_owners(plan_, volumes_, server_pid_, print_warning);
    volumes_.clear();
    if (::send(wiring_.channel.get(), "", 1, MSG_NOSIGNAL) != 1) return failed_call("channel", errno);
    if (plan_.network.kind == Network::Kind::pasta) TRY(start_network());
    TRY(await_image());
    container_pid_ = TRY(receive());
    entrances_ = TRY(receive_namespaces());
    if (group_) entrances_.push_back(group_.entrance(container_pid_));
    return {};
  }

  Result<void> start_network() {
    TRY(await_step());
    auto carrier = Carrier::start(plan_.network, server_pid_);
    if (carrier) {
      carrier_ = *std::move(carrier);
    } else if (plan_.network.required) {
      return std::unexpected(carrier.error());
    } else {
      print_warning(fmt::format("the container has no network: {}", carrier.error().what));
    }
    const pid_t pid = carrier_.pid();
    if (::send(wiring_.channel.get(), &pid, sizeof pid, MSG_NOSIGNAL) != sizeof pid) {
      return failed_call("channel", errno);
    }
    return {};
  }

  [[noreturn]] void be_server() {
    if (plan_.boot) ::sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
    wiring_.channel.reset();
    session_.close_console();
    wiring_.lifeline.reset();
    front_ = FrontProcess();
    report_.close_reader();
    FuseOverlay overlay;
    const Setup setup{.plan = plan_,
                      .maps = maps_,
                      .streams = session_.streams(),
                      .report = report_,
                      .group = group_,
                      .console = wiring_.inner_console,
                      .volumes = volumes_,
                      .overlay = overlay,
                      .lifeline = wiring_.server_lifeline};
    serve_container(setup, look_, std::move(wiring_.server_channel), session_.streams());
  }

  Result<pid_t> receive() {
    pid_t value = 0;
    ssize_t length = 0;
    while ((length = ::read(wiring_.channel.get(), &value, sizeof value)) < 0 && errno == EINTR) {
    }
    if (length != sizeof value) return fail(ECHILD, "the image's server ended while it started");
    return value;
  }

  Result<void> await_step() {
    if (const auto step = receive(); !step) return std::unexpected(step.error());
    return {};
  }

  // That may take long, and a signal ends it: there is nothing yet that could be shut down.
  Result<void> await_image() {
    pollfd step{.fd = wiring_.channel.get(), .events = POLLIN, .revents = 0};
    const sigset_t* const mask = plan_.boot ? &mask_before_ : nullptr;
    while (::ppoll(&step, 1, nullptr, mask) < 0 && errno == EINTR) {
    }
    return await_step();
  }

  // The container's first process tells them before all else.
  Result<std::vector<Fd>> receive_namespaces() {
    Message message = TRY(receive_message(session_.console()));
    if (message.text.empty()) return fail(ECHILD, "the container's first process ended while it started");
    return std::move(message.descriptors);
  }

  std::optional<Failure> end_early() {
    if (server_pid_ <= 0) return std::nullopt;
    wiring_.channel.reset();
    wiring_.lifeline.reset();
    wait_for(server_pid_);
    return report_.receive();
  }

  // The report ends once the program is executed, or says why it cannot be.
  void learn_outcome() {
    outcome_known_ = true;
    failure_ = report_.receive();
    if (failure_) return;
    record_.note_start(container_pid_, session_.stop_signal());
    if (plan_.detach && !abandoned_) detach();
  }

  void leave_alone() {
    if (detached_) {
      if (attached_) (void)send_message(attached_, "left");
      end_attachment();
      return;
    }
    auto log = record_.begin_log();
    if (!log) return;
    log_ = *log;
    session_.streams().log_to(*log_);
    detach();
  }

  void detach() {
    detached_ = true;
    session_.leave_ours();
    record_.note_detached();
    // The server forgets our terminal too; where it is gone the container has ended, or has to.
    if (::write(wiring_.lifeline.get(), "", 1) < 0) session_.kill();
    fmt::print("{}\n", record_.name());
    std::fflush(stdout);
    front_.leave();
  }

  // Whoever looks on from now on has the container's streams, until he leaves.
  void attach(const Fd& asker, std::vector<Fd> streams) {
    const bool free = detached_ && !attached_ && streams.size() == 3;
    (void)send_message(asker, free ? "ok" : "busy");
    if (!free) return;
    attached_ = Fd(::fcntl(asker.get(), F_DUPFD_CLOEXEC, 3));
    attached_asker_ = asker.get();
    session_.streams().set_detach_keys(plan_.detach_keys);
    session_.streams().use(std::move(streams));
    session_.copy_size();
  }

  void end_attachment() {
    session_.streams().leave_ours();
    attached_.reset();
    attached_asker_ = -1;
  }

  void answer(const Fd& asker, Message message) {
    if (message.text == "join") {
      if (group_ && !entrances_.empty()) entrances_.back() = group_.entrance(container_pid_);
      (void)send_message(asker, "ok", entrances_);
    } else if (message.text == "attach") {
      attach(asker, std::move(message.descriptors));
    } else if (message.text == "size" && attached_) {
      session_.copy_size();
    } else if (message.text.empty() && asker.get() == attached_asker_) {
      end_attachment();
    }
  }

  // Without it the container's root is dead. (It also ends, in good order, with the container.)
  void lose_server() {
    server_.reset();
    if (session_.is_ending()) return;
    server_lost_ = true;
    session_.kill();
  }

  // It may end a moment before the container does, whose namespace it watches.
  void lose_carrier() {
    carrier_.stop();
    if (session_.is_ending()) return;
    carrier_lost_ = true;
    session_.kill();
  }

  const Plan& plan_;
  const Look& look_;
  const IdMaps maps_;
  std::vector<Fd> volumes_;
  Record record_;
  Log* log_ = nullptr;  // the record's
  Session session_;
  Report report_;
  Wiring wiring_;
  Group group_;
  FrontProcess front_;
  pid_t server_pid_ = 0;
  Fd server_;
  pid_t container_pid_ = 0;
  std::vector<Fd> entrances_;  // for commands that come later
  Fd attached_;                // a copy of the connection through which somebody has attached
  int attached_asker_ = -1;
  Carrier carrier_;
  std::optional<Failure> failure_;
  sigset_t mask_before_{};
  bool outcome_known_ = false;
  bool server_lost_ = false;
  bool carrier_lost_ = false;
  bool detached_ = false;
  bool abandoned_ = false;  // who waited in front was killed
};

}  // namespace

void complete_standard_streams() {
  int fd = 0;
  do {
    fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  } while (fd >= 0 && fd < 3);
  if (fd >= 0) ::close(fd);
}

Result<int> run_container(const Plan& plan, const Look& look) {
  FrontProcess front;
  if (plan.detach || (plan.interactive && plan.terminal)) front = TRY(FrontProcess::split());
  IdMaps maps = choose_id_maps(gather_id_facts(), print_warning);
  warn_of_old_kernel(plan);
  const OverlayFolder overlay = TRY(OverlayFolder::lock(plan, maps));
  Group group = TRY(make_group(plan, maps));
  // Only root can make owners show as they are, and only out here.
  std::vector<Fd> volumes;
  if (maps.writer == IdMaps::Writer::root) volumes = TRY(open_volumes(plan));
  Record record = TRY(make_record(plan, maps.set_groups, static_cast<bool>(group)));
  Streams streams = TRY(Streams::make(plan.interactive, has_terminal(plan), plan.detach));
  TRY(streams.add_messages());
  Container container(plan, look,
                      {.maps = std::move(maps),
                       .volumes = std::move(volumes),
                       .streams = std::move(streams),
                       .report = TRY(Report::make()),
                       .wiring = TRY(make_wiring()),
                       .group = std::move(group),
                       .record = std::move(record),
                       .front = std::move(front)});
  return container.run();
}

}  // namespace vmfs
