// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "launcher/container/image_server.h"
#include "launcher/container/inside.h"

namespace vmfs {

/// The process that keeps a container, from its birth: enters the namespaces, starts a child that reads and
/// serves the image in a sandbox and the container's first process as a sibling of itself, and watches over
/// both until the container ends or the waiting process does. `channel` tells the waiting process of each
/// step: see container.cc. Failures go to the report.
[[noreturn]] void serve_container(const Setup& setup, const Look& look, Fd channel, Streams& streams);

/// What the channel carries: to the waiting process first `entered`, which is answered by one byte once the
/// ids are written; with a network of pasta(1) `entered` again, answered by the process id that carries it,
/// or 0; `entered` once more when the image is read; then the container's process id. Of the lifeline it
/// reads one byte, if the waiting process leaves the caller's terminal.
constexpr pid_t entered = 0;

}  // namespace vmfs
