// SPDX-License-Identifier: MIT
#include "launcher/container/record.h"

#include <ctime>

namespace vmfs {

using Status = ContainerState::Status;

Result<Record> Record::make(const Plan& plan, bool groups, bool grouped) {
  Record record;
  record.registry_ = TRY(Registry::open());
  record.state_ = make_state(plan, groups, grouped);
  record.folder_ = TRY(record.registry_->create(record.state_));
  record.control_ = TRY(ControlSocket::open(record.folder_.folder()));
  return record;
}

// A state that cannot be written shows the container as it was before.
void Record::write() const {
  if (folder_) (void)folder_.write(state_);
}

void Record::note_start(pid_t pid, int stop_signal) {
  state_.status = Status::running;
  state_.started = std::time(nullptr);
  state_.pid = pid;
  if (stop_signal != 0) state_.stop_signal = stop_signal;
  write();
}

Result<Log*> Record::begin_log() {
  if (!folder_) return nullptr;
  log_ = TRY(Log::create(folder_.folder()));
  return &*log_;
}

void Record::note_detached() {
  state_.detached = true;
  write();
}

void Record::note_end(int status) {
  if (!folder_) return;
  const bool stays = state_.status == Status::running && state_.detached && !state_.remove;
  state_.status = Status::exited;
  state_.ended = std::time(nullptr);
  state_.exit_status = status;
  if (stays) {
    write();
  } else {
    (void)registry_->remove(state_.name);
  }
  control_.end(status);
}

}  // namespace vmfs
