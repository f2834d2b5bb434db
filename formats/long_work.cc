// SPDX-License-Identifier: MIT
#include "formats/long_work.h"

#include <utility>

namespace vmfs {
namespace {

struct Notice {
  void (*function)(void*) = nullptr;
  void* context = nullptr;
};
thread_local Notice notice;

}  // namespace

BeforeLongWork::BeforeLongWork(void (*function)(void*), void* context) {
  notice = {.function = function, .context = context};
}

BeforeLongWork::~BeforeLongWork() {
  notice = {};
}

bool long_work_matters() {
  return notice.function != nullptr;
}

void announce_long_work() {
  const Notice told = std::exchange(notice, {});
  if (told.function != nullptr) told.function(told.context);
}

}  // namespace vmfs
