#pragma once

#include "app/options.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace canang::app {

class token_key_source;

/// Reads the configuration of a server that runs again, as SIGHUP asks for. Settings of rooms, keys of the
/// server API and of tokens, and the log level take effect at once; of other options that differ, the log says that they need
/// a restart. A configuration that is wrong changes nothing. Made, used and destroyed on the main thread.
class configuration_reload {
public:
  /// @param argv outlives it, as the process's own does.
  /// @param tokens outlives it.
  configuration_reload(int argc, const char* const* argv, const options& in_force,
                       token_key_source& tokens);

  /// Says in the log how it went.
  void run(actors::server& server);

private:
  void reread(actors::server& server);
  void apply(options&& next, actors::server& server);
  void reread_keys();
  [[nodiscard]] std::vector<std::string> waiting_for_restart(const options& next) const;

  int argc_;
  const char* const* argv_;
  options in_force_;
  token_key_source& tokens_;
};

/// Tells a process to read its configuration again.
/// @returns an exit code, and prints a line where it is not 0.
[[nodiscard]] int order_reload(std::int32_t process_id);

} // namespace canang::app
