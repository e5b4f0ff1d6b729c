#pragma once

#include "actors/server.hpp"

#include <cstdint>
#include <string>

namespace canang::app {

/// What the command line, the environment and the config file said.
struct options {
  actors::server_options server;
  std::string log_level = "info";
  std::string log_format = "text";
};

/// What to do after reading them.
struct parse_result {
  bool should_serve = false;
  int exit_code = 0;
};

/// Reads flags, then `CANANG_...` variables, then the config file, the first that speaks wins. Prints
/// help, version or the one line of an error by itself; then `should_serve` is false.
[[nodiscard]] parse_result parse_options(int argc, const char* const* argv, options& into);

} // namespace canang::app
