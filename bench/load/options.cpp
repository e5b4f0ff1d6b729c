#include "bench/load/options.hpp"

#include "bench/load/dialect.hpp"
#include "bench/load/option_parsing.hpp"
#include "bench/load/payload.hpp"

#include <cmath>
#include <stdexcept>

namespace canang::load {

namespace {

/// The number at the front of the text; `unit` gets what follows it.
double leading_number(const std::string& text, std::string& unit) {
  std::size_t used = 0;
  double n = -1;
  try {
    n = std::stod(text, &used);
  } catch (const std::exception&) {
    throw std::invalid_argument("'" + text + "' is not a number");
  }
  if (!(n >= 0) || std::isinf(n))
    throw std::invalid_argument("'" + text + "' is out of range");
  unit = text.substr(used);
  return n;
}

void add_shape(CLI::App& app, options& o) {
  app.add_option("--url", o.urls, "ws://HOST:PORT/PATH; several are used in turn; /ROOM is added")
    ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
    ->type_name("URL");
  app
    .add_option("--publish-url", o.publish_url,
                "publishers connect here, and only what the others get is measured; a message is "
                "in flight until the last of them to join has it")
    ->type_name("URL");
  app.add_option("--connections", o.connections, "connections in all (default rooms x members)");
  app.add_option("--rooms", o.rooms, "rooms (default 1)");
  app.add_option("--members", o.members, "members a room (default 2)");
  app.add_option("--publishers", o.publishers, "members of a room that publish (default 1)");
  app.add_option("--room-prefix", o.room_prefix, "rooms are called PREFIX0, PREFIX1, ... (load-)");
  app.add_option("--stalled", o.stalled_percent, "percent of the members that never read")
    ->check(CLI::Range(0.0, 100.0));
  app.add_option("--dialect", o.dialect,
                 "how to talk to the server: " + std::string{dialect_names()});
}

void add_traffic(CLI::App& app, options& o) {
  add_parsed(app, "--size", o.size_bytes, parse_size, "bytes a message, 24 or more (64)");
  app.add_option("--rate", o.rate_per_s,
                 "messages/s in all, open loop: latency counts from the intended send time");
  app.add_option("--in-flight", o.in_flight,
                 "messages in flight a room, closed loop: the next one leaves when the publisher "
                 "sees its own (1)");
  app.add_flag("--once", o.once, "one message a room, then check that exactly its members got it");
  app.add_flag("--idle", o.idle, "connect and send nothing for the duration");
  app.add_flag("--no-room", o.no_room, "with --idle: connect and join no room");
  app.add_flag("--binary", o.binary, "binary messages instead of text");
  app
    .add_option_function<std::string>(
      "--checks", [&o](const std::string& kind) { o.full_checks = kind == "full"; },
      "full: room, sequence, order, text of each message; count: their number (full)")
    ->check(CLI::IsMember({"full", "count"}))
    ->type_name("");
}

void add_times(CLI::App& app, options& o) {
  const auto duration = [&app](const char* name, milliseconds& target, const char* help) {
    add_parsed(app, name, target, parse_duration, help);
  };
  duration("--duration", o.duration, "measured time (10s)");
  duration("--warmup", o.warmup, "traffic before it that is checked but not measured (2s)");
  duration("--settle", o.settle, "pause between the last handshake and the first message (1s)");
  duration("--drain", o.drain, "how long after the last arrival a missing message is lost (5s)");
  duration("--hold", o.hold, "keep the connections open this long at the end (0s)");
  duration("--echo-timeout", o.echo_timeout,
           "closed loop: give up on messages in flight after this silence (5s)");
  duration("--connect-timeout", o.connect_timeout, "TCP and handshake of one connection (10s)");
  app.add_option("--ramp-up", o.ramp_up_per_s, "connections/s (default as fast as it goes)");
}

void add_machine(CLI::App& app, options& o) {
  app.add_option("--threads", o.threads, "threads (1)")->check(CLI::Range(1U, 64U));
  app.add_option("--source", o.sources, "local addresses, used in turn: 127.0.0.2,127.0.0.3")
    ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
    ->delimiter(',')
    ->type_name("ADDR");
  app.add_option("--rcvbuf", o.receive_buffer_bytes, "SO_RCVBUF of each connection, bytes");
  app
    .add_option("--json", o.json, "write the results to FILE, - for stdout instead of the summary")
    ->type_name("FILE");
  app.add_flag("--quiet", o.quiet, "no progress lines");
}

void add_ceiling(CLI::App& app, ceiling_options& o) {
  app.add_option("--connections", o.connections, "connections (1000)");
  add_parsed(app, "--size", o.size_bytes, parse_size, "bytes a message (64)");
  app.add_option("--batch", o.batch, "messages that are sent to a connection at once (128)");
  add_parsed(app, "--duration", o.duration, parse_duration, "measured time (5s)");
  app.add_option("--server-cpu", o.server_cpu, "core of the byte server, -1 for any (0)");
  app.add_option("--client-cpu", o.client_cpu, "core of the client, -1 for any (1)");
  app.add_flag("!--count-only", o.full_checks, "as --checks count");
  app.add_option("--json", o.json, "write the results to FILE, - for stdout")->type_name("FILE");
}

void add_floor(CLI::App& app, ceiling_options& o) {
  app.add_option("--connections", o.connections, "sockets (1000)");
  add_parsed(app, "--size", o.size_bytes, parse_size, "bytes a message (64: frames of 66)");
  add_parsed(app, "--duration", o.duration, parse_duration, "measured time (5s)");
  app.add_option("--server-cpu", o.server_cpu, "core of the loop, -1 for any (0)");
  app.add_option("--client-cpu", o.client_cpu, "core of the readers, -1 for any (1)");
  app.add_option("--json", o.json, "write the results to FILE, - for stdout")->type_name("FILE");
}

} // namespace

milliseconds parse_duration(const std::string& text) {
  std::string unit;
  const double n = leading_number(text, unit);
  double scale = 0;
  if (unit.empty() || unit == "s")
    scale = 1000;
  if (unit == "ms")
    scale = 1;
  if (unit == "m")
    scale = 60'000;
  if (unit == "h")
    scale = 3'600'000;
  if (scale == 0 || n * scale > 1e12)
    throw std::invalid_argument("'" + text + "' is not a duration such as 25s or 500ms");
  return milliseconds{std::llround(n * scale)};
}

std::size_t parse_size(const std::string& text) {
  std::string unit;
  const double n = leading_number(text, unit);
  double scale = 0;
  if (unit.empty() || unit == "B")
    scale = 1;
  if (unit == "KiB")
    scale = 1024;
  if (unit == "MiB")
    scale = 1024.0 * 1024;
  if (scale == 0 || n * scale > 1e12)
    throw std::invalid_argument("'" + text + "' is not a size such as 512 or 4KiB");
  return static_cast<std::size_t>(n * scale);
}

command_line parse_command_line(int argc, char** argv) {
  command_line line;
  CLI::App app{"canang-load: WebSocket load with every message checked.\n"
               "Exit code: 0 all is well, 1 something was lost, doubled, reordered, misrouted or\n"
               "damaged or a connection was closed, 2 wrong usage, 3 could not connect.",
               "canang-load"};
  app.get_formatter()->column_width(28);
  app.option_defaults()->take_last(); // so that scripts can append to their defaults
  add_shape(app, line.run);
  add_traffic(app, line.run);
  add_times(app, line.run);
  add_machine(app, line.run);
  auto* ceiling = app.add_subcommand(
    "ceiling", "measure this client itself, against a process that blasts ready-made frames");
  add_ceiling(*ceiling, line.ceiling);
  auto* floor = app.add_subcommand(
    "floor", "measure a bare loop of send(): what no server can beat on one core");
  add_floor(*floor, line.ceiling);
  auto* resume = app.add_subcommand(
    "resume", "members that come back and resume, and write down all that they got");
  add_resume_options(*resume, line.resume);
  try {
    app.parse(argc, argv);
    if (ceiling->parsed() || floor->parsed()) {
      line.what = command::ceiling;
      line.ceiling.is_floor = floor->parsed();
      if (line.ceiling.is_floor)
        line.ceiling.batch = 1;
      const auto& c = line.ceiling;
      require(c.size_bytes >= payload::header_size && c.size_bytes <= 1U << 20, "--size",
              "must be 24 bytes to 1MiB");
      require(c.connections >= 1 && c.batch >= 1 && c.batch <= 65536, "--batch",
              "must be 1 to 65536, and --connections at least 1");
    } else if (resume->parsed()) {
      line.what = command::resume;
      validate(line.resume);
    } else {
      validate(line.run);
    }
  } catch (const CLI::ParseError& e) {
    line.what = command::leave;
    line.exit_code = app.exit(e) == 0 ? exit_ok : exit_usage;
  }
  return line;
}

} // namespace canang::load
