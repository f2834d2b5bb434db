// SPDX-License-Identifier: MIT
#pragma once

namespace vmfs {

/// Executes this process anew from a copy of its program in memory that nobody can change, if the caller
/// could change the program: root of the container is the caller, and a program that is executed through
/// /proc/self/exe inside could write to what it came from. Returns if that is not needed, done already, or
/// not possible.
void run_from_sealed_copy();

}  // namespace vmfs
