#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace canang::load {

/// What `canang-load resume` does; see its --help.
struct resume_options {
  std::string url;
  std::string room_prefix = "load-";
  std::uint32_t rooms = 1;
  std::uint32_t members = 2; ///< a room
  double rate_per_s = 10;    ///< publications, in all
  std::size_t size_bytes = 64;
  double ramp_up_per_s = 1000;
  std::vector<std::string> sources;
  std::string journal;
  std::string node_header = "X-Node";
  std::uint64_t seed = 1;
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds silence_limit{0};     ///< nothing, not even a ping; 0: waits for ever
  std::chrono::milliseconds quiet{2'000};         ///< nothing came for so long: all has come
  std::chrono::milliseconds settle_limit{60'000}; ///< at the end, for those that are away
};

void add_resume_options(CLI::App& app, resume_options& o);
/// Throws CLI::ValidationError.
void validate(const resume_options& o);

/// Members that come back to their room whenever their connection ends, as Canang's chat page does,
/// resume where they were, and write all that they go through into a journal. They take turns at
/// publishing. Connects all, says so on stdout, publishes until SIGTERM or SIGINT; then waits for
/// those that are away and for what is under way. Judges nothing. Gives the exit code; throws
/// std::runtime_error when an address can't be resolved or the journal not be written.
int resume(const resume_options& o);

} // namespace canang::load
