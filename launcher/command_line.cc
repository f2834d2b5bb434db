// SPDX-License-Identifier: MIT
#include "launcher/command_line.h"

#include <CLI/CLI.hpp>

namespace vmfs {

void CommandLine::argument(const std::string& name, std::string& value, const std::string& description) {
  verb_->add_option(name, value, description)->required();
}

void CommandLine::optional_argument(const std::string& name, std::string& value,
                                    const std::string& description) {
  verb_->add_option(name, value, description);
}

void CommandLine::arguments(const std::string& name, std::vector<std::string>& values,
                            const std::string& description) {
  verb_->add_option(name, values, description)->required();
}

void CommandLine::optional_arguments(const std::string& name, std::vector<std::string>& values,
                                     const std::string& description) {
  verb_->add_option(name, values, description);
}

void CommandLine::flag(const std::string& names, bool& value, const std::string& description) {
  verb_->add_flag(names, value, description);
}

void CommandLine::option(const std::string& names, std::string& value, const std::string& description,
                         const std::string& type) {
  verb_->add_option(names, value, description)->type_name(type)->capture_default_str();
}

void CommandLine::option(const std::string& names, std::optional<unsigned>& value,
                         const std::string& description, const std::string& type) {
  verb_->add_option(names, value, description)->type_name(type);
}

void CommandLine::list(const std::string& names, std::vector<std::string>& values,
                       const std::string& description, const std::string& type) {
  verb_->add_option(names, values, description)->type_name(type)->allow_extra_args(false);
}

void CommandLine::option(const std::string& names,
                         const std::function<Result<void>(const std::string&)>& take,
                         const std::string& description, const std::string& type) {
  const std::function<void(const std::string&)> take_or_throw = [take, names](const std::string& text) {
    if (const auto taken = take(text); !taken)
      throw CLI::ValidationError(names + " " + text, taken.error().what);
  };
  verb_->add_option_function(names, take_or_throw, description)->type_name(type);
}

void CommandLine::let_the_last_count() {
  for (CLI::Option* const option : verb_->get_options()) {
    if (option->get_expected_max() == 1) option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
}

void CommandLine::help_by_long_name_only() {
  verb_->set_help_flag("--help", "print this help and end");
}

void CommandLine::footer(const std::string& text) {
  verb_->footer(text);
}

void CommandLine::keep_the_rest() {
  verb_->allow_extras();
}

void CommandLine::keep_a_command() {
  verb_->prefix_command();
}

std::vector<std::string> CommandLine::rest() const {
  return verb_->remaining();
}

}  // namespace vmfs
