// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "formats/result.h"
#include "launcher/container/detach_keys.h"
#include "launcher/container/log.h"
#include "launcher/container/poller.h"
#include "launcher/fd.h"

namespace vmfs {

/// The standard streams of a container, which never are the machine's own descriptors: a file could be opened
/// again through /proc/self/fd, a terminal be typed into, a directory be climbed out of. Pipes stand between,
/// and this process copies. Streams that lead to one place share a pipe, so that their order stays.
class Streams {
 public:
  /// `interactive`: the container reads our standard input, else nothing. `terminal`: nothing is copied
  /// before adopt_terminal(). `together`: both outputs share a pipe wherever ours lead. Errors: of pipe(2).
  [[nodiscard]] static Result<Streams> make(bool interactive, bool terminal, bool together = false);

  /// Streams that lead nowhere. Errors: of open(2).
  [[nodiscard]] static Result<Streams> make_none();

  /// A fourth stream, to our standard error, of the process that calls install_messages(). Errors: of
  /// pipe(2).
  [[nodiscard]] Result<void> add_messages();
  void install_messages() const;

  /// What a container's terminal is for.
  enum class Kind {
    session,        ///< it is over when nobody in the container has it open
    console,        ///< opened by whoever has to say something
    plain_console,  ///< a console copied to what may be no terminal: lines end without a carriage return
  };

  /// Copies between our streams and the other side of the container's terminal instead of pipes.
  [[nodiscard]] Result<void> adopt_terminal(Fd terminal, Kind kind);

  /// That other side, if there is one.
  [[nodiscard]] const Fd& terminal() const { return terminal_; }

  /// In the container: makes them the descriptors 0, 1 and 2.
  [[nodiscard]] Result<void> install() const;

  /// In the process that copies: closes the container's ends. Whoever holds them, or ours, without need hides
  /// from the other side that nobody is there any more.
  void close_inner();

  /// In processes that neither copy nor are the container.
  void close_all();

  /// Has what can be copied copied, without waiting for the container or for whoever reads our streams.
  void watch(Poller& poller);

  /// Copies what the container wrote last; call it once the container has ended. False: whoever reads our
  /// streams has to make room first, see watch().
  [[nodiscard]] bool drain();

  /// Stops reading our standard input for the container, which has no more to come.
  void close_input();

  /// From now on all outputs go to the log, which must live as long as this.
  void log_to(Log& log) { log_ = &log; }

  /// From now on only messages go to ours.
  void leave_all_but_messages();

  /// From now on ours are not used any more: the container reads nothing for the time being.
  void leave_ours();

  /// Ours are these from now on, until they are left or closed.
  void use(std::vector<Fd> ours);

  /// Our streams: numbers of descriptors, below 0 where they are not used.
  [[nodiscard]] const std::array<int, 3>& ours() const { return ours_; }

  /// Whether ours are in use.
  [[nodiscard]] bool uses_ours() const { return ours_[STDOUT_FILENO] >= 0; }

  /// On a terminal these keys leave the container alone: then asked_to_leave() is true, once.
  void set_detach_keys(std::string keys) { keys_ = DetachKeys(std::move(keys)); }
  [[nodiscard]] bool asked_to_leave() { return std::exchange(asked_to_leave_, false); }

 private:
  // From a pipe of the container to one of our streams.
  struct Output {
    Fd from;
    int to = -1;
    bool plain = false;
    bool held = false;      // a carriage return that a line end may follow
    std::string rest = {};  // read, not yet taken by ours
  };

  [[nodiscard]] Result<Fd> add_output(int stream);
  [[nodiscard]] bool copy(Output& output);
  [[nodiscard]] bool write_out(Output& output);
  void open_writers();
  [[nodiscard]] int writer_of(int stream) const;
  void fill_input();
  void flush_input();

  std::array<Fd, 3> inner_;
  Fd inner_messages_;
  Fd terminal_;
  Fd console_;  ///< the container's side, so that it never counts as closed
  std::array<int, 3> ours_ = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};  ///< below 0: not in use
  std::vector<Fd> borrowed_;                                                ///< those of use()
  std::array<Fd, 3> writers_;                                               ///< see open_writers()
  Log* log_ = nullptr;
  DetachKeys keys_;
  bool asked_to_leave_ = false;
  bool interactive_ = false;
  std::vector<Output> outputs_;
  Fd input_;              ///< our end of the container's standard input
  bool reading_ = false;  ///< more may come from our standard input
  std::string pending_;   ///< read, not yet taken by the container
};

}  // namespace vmfs
