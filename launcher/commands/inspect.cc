// SPDX-License-Identifier: MIT
#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "formats/text.h"
#include "launcher/commands/commands.h"
#include "launcher/inspect/inspection.h"
#include "launcher/sandbox/sandbox.h"

namespace vmfs {
namespace {

struct InspectCommand {
  ImageOptions options;
  std::vector<std::string> images;
  bool as_json = false;
};

/// An image, and what there is to print of it.
struct Outcome {
  ImageOptions options;
  std::vector<Image> images;
  std::string text;
  std::vector<std::string> warnings;
  std::optional<Error> error;
  bool done = false;
};

/// Inspects many images on several threads; each is waited for in the order given.
class Inspector {
 public:
  explicit Inspector(const InspectCommand& command) : command_(command) {
    for (const std::string& path : command.images) outcomes_.push_back(open(path));
  }

  /// Looks into the images, from here on in the sandbox. Errors: as enter_sandbox().
  Result<void> start() {
    const auto threads = static_cast<unsigned>(
        std::min<std::size_t>(std::max(1U, std::thread::hardware_concurrency()), outcomes_.size()));
    TRY(enter_sandbox({.threads = threads}));
    for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
    return {};
  }

  const Outcome& wait(std::size_t index) {
    std::unique_lock lock(mutex_);
    finished_.wait(lock, [&] { return outcomes_[index].done; });
    return outcomes_[index];
  }

 private:
  [[nodiscard]] Outcome open(const std::string& path) const {
    Outcome outcome{.options = command_.options, .images = {}, .text = {}, .warnings = {}, .error = {}};
    outcome.options.image = path;
    auto images = open_images_from_options(
        outcome.options, [&](const std::string& line) { outcome.warnings.push_back(line); });
    if (images) {
      outcome.images = *std::move(images);
    } else {
      outcome.error = std::move(images).error();
    }
    return outcome;
  }

  void work() {
    for (;;) {
      std::unique_lock lock(mutex_);
      const std::size_t index = next_++;
      if (index >= outcomes_.size()) return;
      lock.unlock();
      if (!outcomes_[index].error) inspect(outcomes_[index]);
      lock.lock();
      outcomes_[index].done = true;
      finished_.notify_all();
    }
  }

  void inspect(Outcome& outcome) const {
    const auto found = inspect_image(outcome.options, std::move(outcome.images),
                                     [&](const std::string& line) { outcome.warnings.push_back(line); });
    if (found) {
      outcome.text = command_.as_json ? to_json_text(*found) : to_text(*found);
    } else {
      outcome.error = found.error();
    }
  }

  const InspectCommand& command_;
  std::mutex mutex_;
  std::condition_variable finished_;
  std::vector<Outcome> outcomes_;
  std::size_t next_ = 0;
  std::vector<std::jthread> threads_;  // last: they end before what they use
};

Result<int> inspect(const InspectCommand& command) {
  Inspector inspector(command);
  TRY(inspector.start());
  const bool many = command.images.size() > 1;
  int status = 0;
  for (std::size_t i = 0; i < command.images.size(); ++i) {
    const Outcome& outcome = inspector.wait(i);
    for (const std::string& line : outcome.warnings)
      print_warning(many ? fmt::format("{}: {}", command.images[i], line) : line);
    if (outcome.error) {
      fmt::print(stderr, "vmfs: {}\n", printable(outcome.error->what));
      status = 1;
      continue;
    }
    fmt::print("{}{}", many && !command.as_json && i > 0 ? "\n" : "", outcome.text);
  }
  return status;
}

}  // namespace

Command add_inspect(CommandLine line) {
  auto command = std::make_shared<InspectCommand>();
  line.arguments("IMAGE", command->images, "disk images, or block devices");
  line.flag("--json", command->as_json, "print JSON: a document for each image, one after the other");
  add_image_options(line, command->options);
  return [command] { return inspect(*command); };
}

}  // namespace vmfs
