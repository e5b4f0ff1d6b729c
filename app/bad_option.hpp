#pragma once

#include <stdexcept>
#include <string>

namespace canang::app {

/// Options that cannot be, in one line for the operator, without any password. Thrown while they are read, at
/// the start or again, and caught where that ends.
struct bad_option : std::runtime_error {
  explicit bad_option(const std::string& line, int code = 2)
    : std::runtime_error{line}, exit_code{code} {}

  int exit_code; ///< of a process that was to begin with them
};

} // namespace canang::app
