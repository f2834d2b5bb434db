// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "formats/result.h"

namespace CLI {
class App;
}

namespace vmfs {

/// What stands for "--" in the words of a verb that takes a command: CLI11 would hand what follows to the
/// program itself.
constexpr const char* command_separator = "\x1f--";

/// The arguments and options of one verb. A handle of what CLI11 is told: its templates take ten seconds a
/// file to compile, so that one file has them. Names are "-s,--long"; what is given a reference to must live
/// until the words are parsed. A text that is not empty beforehand is the default, and the help says so.
class CommandLine {
 public:
  explicit CommandLine(CLI::App& verb) : verb_(&verb) {}

  void argument(const std::string& name, std::string& value, const std::string& description);
  void optional_argument(const std::string& name, std::string& value, const std::string& description);
  void arguments(const std::string& name, std::vector<std::string>& values, const std::string& description);
  void optional_arguments(const std::string& name, std::vector<std::string>& values,
                          const std::string& description);

  void flag(const std::string& names, bool& value, const std::string& description);
  void option(const std::string& names, std::string& value, const std::string& description,
              const std::string& type = "TEXT");
  void option(const std::string& names, std::optional<unsigned>& value, const std::string& description,
              const std::string& type);
  /// With one value each time it is given.
  void list(const std::string& names, std::vector<std::string>& values, const std::string& description,
            const std::string& type);
  /// An error of `take` is one of usage.
  void option(const std::string& names, const std::function<Result<void>(const std::string&)>& take,
              const std::string& description, const std::string& type);

  /// Of an option with one value that is given several times, the last counts, as podman has it. Call it once
  /// the verb has all its options.
  void let_the_last_count();
  /// -h is an option of the verb's own.
  void help_by_long_name_only();
  void footer(const std::string& text);

  /// Words that nothing was added for are no error: `rest` has them.
  void keep_the_rest();
  /// The same of all words from the first that is no option.
  void keep_a_command();
  [[nodiscard]] std::vector<std::string> rest() const;

 private:
  CLI::App* verb_;
};

}  // namespace vmfs
