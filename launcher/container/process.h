// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "formats/result.h"
#include "launcher/fd.h"

namespace vmfs {

/// How a program that was run to its end did.
struct Finished {
  int status = 0;       ///< exit status; 128 + n for signal n; 127 where there is no such program
  std::string message;  ///< the last line of its standard error
};

/// Runs a program of this machine, found through PATH, and waits for it; it reads nothing, and what it writes
/// to its standard output is lost. Errors: of fork(2)
/// and the like, ENOENT for no such program.
[[nodiscard]] Result<Finished> run_program(const std::vector<std::string>& arguments);

/// A program of this machine that runs meanwhile.
struct Running {
  pid_t process = 0;
  Fd errors;
};

/// The two halves of run_program().
[[nodiscard]] Result<Running> start_program(const std::vector<std::string>& arguments);
[[nodiscard]] Finished await_program(const Running& running);

/// A file in memory for what a program says: what goes beyond a page is lost. Errors: none, of
/// memfd_create(2).
[[nodiscard]] Fd make_page(const char* name);

/// What is in it; of a text, the last line that is not empty.
[[nodiscard]] std::string read_page(const Fd& file);
[[nodiscard]] std::string last_line(std::string text);

/// Whether PATH leads to a program of this name.
[[nodiscard]] bool is_installed(const std::string& name);

/// waitpid(2) for one child, signals notwithstanding; its status as a shell gives it (128 + n for signal n).
int wait_for(pid_t child);

/// A wait status as a shell gives it.
[[nodiscard]] int shell_status(int wait_status);

/// The contents of a small text file, such as those of /proc; empty where it cannot be read.
[[nodiscard]] std::string read_text(const std::string& path);

/// Writes a whole file in one write(2), as /proc wants it. Errors: of open(2) and write(2).
[[nodiscard]] Result<void> write_text(const std::string& path, const std::string& text);

/// An errno as words.
[[nodiscard]] std::string describe_errno(int code);

/// The error side of a failed system call: "STEP: words of errno".
[[nodiscard]] std::unexpected<Error> failed_call(const std::string& step, int code);

}  // namespace vmfs
