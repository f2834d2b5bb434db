// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cctype>
#include <cerrno>

#include "launcher/container/plan.h"
#include "launcher/container/words.h"

namespace vmfs {
namespace {

const Capabilities& all_capabilities() {
  static const Capabilities set = [] {
    Capabilities out;
    for (cap_value_t value = 0; value <= CAP_LAST_CAP; ++value) out.insert(value);
    return out;
  }();
  return set;
}

// "ALL", or names with or without "CAP_", in any case.
Result<Capabilities> parse_names(const std::string& option, const std::vector<std::string>& texts) {
  Capabilities out;
  for (const std::string& text : texts) {
    for (std::string name : split_words(text, ',')) {
      std::ranges::transform(name, name.begin(),
                             [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      if (name == "all") {
        out = all_capabilities();
        continue;
      }
      cap_value_t value = 0;
      if (::cap_from_name((name.starts_with("cap_") ? name : "cap_" + name).c_str(), &value) != 0) {
        return fail(EINVAL, "{} {}: no such capability; capabilities(7) names them", option, text);
      }
      out.insert(value);
    }
  }
  return out;
}

Result<void> apply_security_option(Privileges& privileges, const std::string& text) {
  const auto end = text.find_first_of("=:");
  const std::string name = text.substr(0, end);
  const std::string value = end == std::string::npos ? "" : text.substr(end + 1);
  if (name == "no-new-privileges" && (value.empty() || value == "true" || value == "false")) {
    privileges.no_new_privileges = value != "false";
  } else if (name == "seccomp" && value == "unconfined") {
    privileges.seccomp = false;
  } else if (name == "unmask" && (value == "ALL" || value == "all")) {
    privileges.masks = false;
  } else if (name != "label" && text != "apparmor=unconfined") {  // neither is confined by us
    return fail(EINVAL, "--security-opt {}: known are no-new-privileges, seccomp=unconfined and unmask=ALL",
                text);
  }
  return {};
}

}  // namespace

Result<Privileges> parse_privileges(const RunOptions& options) {
  Privileges privileges;
  const Capabilities added = TRY(parse_names("--cap-add", options.added_capabilities));
  const Capabilities dropped = TRY(parse_names("--cap-drop", options.dropped_capabilities));
  // A name goes before ALL, whichever side it is on.
  if (options.boot) privileges.capabilities = boot_capabilities();
  const bool drop_all = dropped == all_capabilities();
  const bool add_all = added == all_capabilities();
  if (drop_all) privileges.capabilities.clear();
  privileges.capabilities.insert(added.begin(), added.end());
  if (!drop_all) {
    for (const cap_value_t value : dropped) {
      if (added.contains(value) && !add_all) {
        return fail(EINVAL, "--cap-add and --cap-drop both name a capability");
      }
      privileges.capabilities.erase(value);
    }
  }
  std::ranges::set_intersection(added, privileges.capabilities,
                                std::inserter(privileges.ambient, privileges.ambient.end()));
  for (const std::string& text : options.security) TRY(apply_security_option(privileges, text));
  return privileges;
}

}  // namespace vmfs
