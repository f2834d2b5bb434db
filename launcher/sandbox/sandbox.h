// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "formats/result.h"

namespace vmfs {

/// What a process does with an image, and so what it may still do to the machine.
enum class Work : std::uint8_t {
  read,   ///< reads it, writes to what is open
  serve,  ///< answers the kernel, on several threads
  copy,   ///< makes files in the directories it names
};

struct SandboxNeeds {
  Work work = Work::read;
  unsigned threads = 1;            ///< how many there may be besides the first
  std::vector<int> directories{};  ///< Work::copy: below these, files are made and changed
};

/// Gives up, for good, whatever the process needs no more once its files are open, so that whoever takes it
/// over by what is in an image gets no more than the image, what is open, and (Work::copy) the directories:
/// - no_new_privs; no capability, but for Work::copy those that files' attributes need;
/// - a system call filter: no other process, program, socket or mount; anything unknown kills the process;
/// - Landlock, where the kernel has it: no file of the machine can be opened, no address reached, no process
///   outside signalled;
/// - limits of address space and open files, no core file, no debugger (PR_SET_DUMPABLE).
/// Opening a file fails with EACCES from here on: what the C library opens late, it must do without.
/// Sanitizers need more than that: a program built with one gives up privileges, capabilities and core files,
/// and no more. Call it while there is one thread. Errors: of the system calls, with what to do.
[[nodiscard]] Result<void> enter_sandbox(const SandboxNeeds& needs);

}  // namespace vmfs
