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
enum class command : std::uint8_t {
  leave, ///< all is done and said: see `exit_code`
  serve,
  health,
  drain
};

struct parse_result {
  command what = command::leave;
  int exit_code = 0;
  std::string url{}; ///< of `health` and `drain`; may be empty
};

/// Reads flags, then `CANANG_...` variables, then the config file, the first that speaks wins. Prints
/// help, version or the one line of an error by itself; then there is nothing left to do.
[[nodiscard]] parse_result parse_options(int argc, const char* const* argv, options& into);

} // namespace canang::app
