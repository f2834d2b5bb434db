// SPDX-License-Identifier: MIT
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace vmfs {

/// Why an operation failed. `code` is the errno that the kernel's own driver gives in this case (EUCLEAN for
/// corruption, EOPNOTSUPP for what is not supported); `what` names the structure, the field and the value,
/// without a final full stop.
struct Error {
  int code;
  std::string what;
};

/// A value, or the reason why there is none. Nothing in this project throws across a module.
template <class T>
using Result = std::expected<T, Error>;

/// Receives one line a call about something a user should know although the operation goes on.
/// Called from the thread that opens an image or a file system, never after the open returned.
using Warn = std::function<void(const std::string&)>;

/// Builds the error side of any `Result`.
template <class... Arguments>
[[nodiscard, gnu::cold]] std::unexpected<Error> fail(int code, fmt::format_string<Arguments...> format,
                                                     Arguments&&... arguments) {
  return std::unexpected(Error{code, fmt::format(format, std::forward<Arguments>(arguments)...)});
}

}  // namespace vmfs

/// The value of a `Result`, or a return of its error from the enclosing function. Do not nest.
#define TRY(expression)                                                       \
  __extension__({                                                             \
    auto&& try_result_ = (expression);                                        \
    if (!try_result_) return std::unexpected(std::move(try_result_).error()); \
    *std::move(try_result_);                                                  \
  })
