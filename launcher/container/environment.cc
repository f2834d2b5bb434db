// SPDX-License-Identifier: MIT
#include "launcher/container/environment.h"

#include <cerrno>

#include "launcher/container/words.h"

namespace vmfs {
namespace {

Result<void> add_file(Environment& environment, const std::string& text, const Environment& caller) {
  for (std::string line : split_words(text, '\n')) {
    while (line.ends_with('\r')) line.pop_back();
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string::npos || line[begin] == '#') continue;
    if (const auto added = add_variable(environment, line.substr(begin), caller); !added) {
      return fail(EINVAL, "--env-file: not a variable: {}", line);
    }
  }
  return {};
}

}  // namespace

Result<void> add_variable(Environment& environment, const std::string& text, const Environment& caller) {
  const auto equals = text.find('=');
  const std::string name = text.substr(0, equals);
  if (name.find_first_of(" \t") != std::string::npos)
    return fail(EINVAL, "-e {}: blanks in the name of a variable", text);
  if (name.empty()) return fail(EINVAL, "-e {}: a name is wanted, as NAME or NAME=VALUE", text);
  if (equals != std::string::npos) {
    environment[name] = text.substr(equals + 1);
  } else if (name.ends_with('*')) {
    const std::string prefix = name.substr(0, name.size() - 1);
    for (const auto& [key, value] : caller) {
      if (key.starts_with(prefix)) environment[key] = value;
    }
  } else if (const auto found = caller.find(name); found != caller.end()) {
    environment[name] = found->second;
  }
  return {};
}

Result<void> add_variables(Environment& environment, const std::vector<std::string>& files,
                           const std::vector<std::string>& options, const Environment& caller) {
  for (const std::string& text : files) TRY(add_file(environment, text, caller));
  for (const std::string& text : options) TRY(add_variable(environment, text, caller));
  return {};
}

}  // namespace vmfs
