#pragma once

#include "bench/load/resume.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace canang::load {

using std::chrono::milliseconds;

/// What a run does; see --help for the meaning of each.
struct options {
  std::vector<std::string> urls;
  std::string publish_url; // empty: publishers are spread over `urls` like the others
  std::string room_prefix = "load-";
  std::uint32_t connections = 0; // 0: rooms x members
  std::uint32_t rooms = 0;       // 0: from the other two, or 1
  std::uint32_t members = 0;     // 0: from the other two, or 2
  std::uint32_t publishers = 1;
  std::size_t size_bytes = 64;
  double rate_per_s = 0;       // 0: closed loop
  std::uint32_t in_flight = 0; // 0: open loop
  milliseconds duration{10'000};
  milliseconds warmup{2'000};
  milliseconds settle{1'000};
  milliseconds drain{5'000};
  milliseconds hold{0};
  milliseconds echo_timeout{5'000};
  milliseconds connect_timeout{10'000};
  double ramp_up_per_s = 0; // 0: as fast as the server answers
  std::string dialect = "plain";
  std::vector<std::string> sources;
  std::uint32_t threads = 1;
  double stalled_percent = 0;
  int receive_buffer_bytes = 0;
  std::string json;
  bool idle = false;
  bool no_room = false;
  bool once = false;
  bool binary = false;
  bool full_checks = true;
  bool quiet = false;
};

/// What `canang-load ceiling` and `canang-load floor` do.
struct ceiling_options {
  std::uint32_t connections = 1000;
  std::size_t size_bytes = 64;
  std::uint32_t batch = 128;
  milliseconds duration{5'000};
  int server_cpu = 0;
  int client_cpu = 1;
  bool full_checks = true;
  bool is_floor = false; // batches of one: the question is what the sending costs
  std::string json;
};

enum class command : std::uint8_t { run, ceiling, resume, leave };

struct command_line {
  command what = command::run;
  int exit_code = 0; // for leave
  options run;
  ceiling_options ceiling;
  resume_options resume;
};

inline constexpr int exit_ok = 0;
inline constexpr int exit_faulty = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_unreachable = 3;

/// Parses the command line; prints help or one line that names the wrong option, and says `leave`.
command_line parse_command_line(int argc, char** argv);

/// Completes the shape and checks the options against each other; throws CLI::ValidationError.
void validate(options& o);

/// "25s", "500ms", "2m", or plain seconds such as "2.5"; throws std::invalid_argument.
milliseconds parse_duration(const std::string& text);
/// "64", "4KiB", "1MiB"; throws std::invalid_argument.
std::size_t parse_size(const std::string& text);

} // namespace canang::load
