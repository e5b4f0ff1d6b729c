#pragma once

#include "actors/server.hpp"
#include "app/admin/console.hpp"
#include "app/token_command.hpp"
#include "app/token_options.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace canang::app {

/// What the command line, the environment and the config file said.
struct options {
  actors::server_options server;
  token_options tokens;
  admin::console_options console;
  std::string anonymous = "auto"; ///< or yes, or no
  std::string log_level = "info";
  std::string log_format = "text";
  std::string config_file; ///< empty: none
  /// Each option by its name without dashes, and what it was given, or its default. Never to be shown, since
  /// there are passwords among it.
  std::map<std::string, std::vector<std::string>> given;
};

/// What the command line asks for.
enum class command : std::uint8_t {
  leave, ///< all is done and said: see `exit_code`
  serve,
  health,
  drain,
  reload,
  import_centrifugo,
  token
};

/// What to do after reading the options.
struct parse_result {
  command what = command::leave;
  int exit_code = 0;
  std::string url{};           ///< of `health` and `drain`; may be empty
  std::int32_t process_id = 1; ///< of `reload`
  std::string file{};          ///< of `import-centrifugo`
  token_order token{};         ///< of `token`
};

/// Reads flags, then `CANANG_...` variables, then the config file, the first that speaks wins. Prints
/// help, version or the one line of an error by itself; then there is nothing left to do.
/// @param into has its defaults.
[[nodiscard]] parse_result parse_options(int argc, const char* const* argv, options& into);

/// Reads all of them again, for a process that serves. Prints nothing.
/// @param into has its defaults.
/// @returns a line that says what is wrong, or nothing.
[[nodiscard]] std::optional<std::string> reread_options(int argc, const char* const* argv,
                                                        options& into);

/// What the process and its machine say to the options.
struct settled_limits {
  std::string fault{};   ///< one line; then it cannot serve
  std::string warning{}; ///< one line for the log, where less is taken than was asked for
};

/// For one that is to serve: raises the process's limit of open files, puts what that and the cgroup
/// allow where the options say `auto`, and sees that connections can never take what else needs a
/// descriptor.
[[nodiscard]] settled_limits settle_limits(actors::server_options& into);

} // namespace canang::app
