// SPDX-License-Identifier: MIT
#pragma once

// The version of libfuse's interface this project is written for, in one place.
#define FUSE_USE_VERSION 312
#include <fuse3/fuse_lowlevel.h>
