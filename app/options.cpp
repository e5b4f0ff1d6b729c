#include "app/options.hpp"

#include "app/access_options.hpp"
#include "app/bad_option.hpp"
#include "app/cluster_options.hpp"
#include "app/configuration_file.hpp"
#include "app/cpu_budget.hpp"
#include "app/front_options.hpp"
#include "app/hook_options.hpp"
#include "app/identity_options.hpp"
#include "app/limit_options.hpp"
#include "app/option_adder.hpp"
#include "app/room_options.hpp"
#include "app/token_options.hpp"
#include "app/trace_options.hpp"
#include "net/log_text.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::app {

namespace {

void add_options(CLI::App& app, options& into) {
  using std::chrono::milliseconds;
  auto& server = into.server;
  auto& loops = server.loops;
  constexpr std::uint64_t one_gib = 1ULL << 30U;
  option_adder adder{app};

  adder.group("Addresses");
  add_listen_options(adder, server);
  adder.address("--internal-listen", server.internal_listen, "127.0.0.1:9000",
                "internal: probes, metrics, and what operators ask and order");

  add_front_options(adder, server);
  add_tls_options(adder, server);

  add_access_options(adder, server, into.console);
  add_token_options(adder, into.tokens);
  add_identity_options(adder, into);
  add_hook_options(adder, server.hooks);

  adder.group("Size");
  server.workers = cpu_budget();
  adder.number("--workers", server.workers, 1, 256, std::to_string(server.workers),
               "event loops, a thread each; by default one for each core that may be used");

  adder.group("Connections");
  adder.duration("--ping-interval", loops.beats.ping_interval, milliseconds{100}, "25s",
                 "silence after which a client is pinged");
  adder.duration("--pong-timeout", loops.beats.pong_timeout, milliseconds{100}, "8s",
                 "time for the answer, before the connection is ended");
  adder.duration("--handshake-timeout", loops.limits.handshake_timeout, milliseconds{100}, "10s",
                 "time for a request's headers to arrive");
  adder.size("--max-header-bytes", loops.limits.max_header_bytes, 1024, 1024 * 1024, "16KiB",
             "longest request line plus headers; longer ones are answered with 431");
  adder.duration("--close-timeout", loops.limits.close_timeout, milliseconds{100}, "5s",
                 "time for the client to answer a close frame");
  adder.size("--max-message-bytes", loops.limits.max_message_bytes, 1, one_gib / 2, "64KiB",
             "largest message of a client; larger ones are answered with 1009");
  adder.size("--outbox-limit", loops.limits.max_outbox_bytes, 1024, one_gib, "1MiB",
             "bytes that may wait for one client, before it is closed as a slow consumer (1008)");
  adder.duration(
    "--slow-consumer-grace", loops.limits.slow_consumer_grace, milliseconds{0}, "2s",
    "time for it to come back below that first, unless four times as much waits; 0: none");

  adder.group("Rates");
  add_rate_options(adder, loops.limits);

  adder.group("Admission");
  add_admission_options(adder, server);

  add_room_options(adder, server);

  add_cluster_options(adder, server.cluster);

  adder.group("Shutdown");
  adder.duration("--drain-grace", server.drain.grace, milliseconds{0}, "5s",
                 "after SIGTERM: unready, but serving as before, for balancers to notice");
  adder.duration("--drain-period", server.drain.period, milliseconds{0}, "25s",
                 "after the grace: time for closing all connections at an even pace");

  add_trace_options(adder, server.tracing);

  adder.group("Logs");
  adder.choice("--log-level", into.log_level, {"trace", "debug", "info", "warn", "error", "off"},
               "least level that is logged");
  adder.choice("--log-format", into.log_format, {"text", "json"}, "one line an event, either way");
}

bool is_given(const std::string& flag, int argc, const char* const* argv) {
  return std::any_of(argv + 1, argv + argc, [&](std::string_view argument) {
    return argument == flag || argument.starts_with(flag + '=');
  });
}

/// The environment as flags in front of the command line's, where a later one of the same name wins:
/// by itself CLI11 would let the config file go before the environment.
std::vector<std::string> arguments_with_environment(const CLI::App& app, int argc,
                                                    const char* const* argv) {
  std::vector<std::string> arguments;
  for (const auto* option : app.get_options()) {
    const auto variable = option->get_envname();
    const char* const value = variable.empty() ? nullptr : std::getenv(variable.c_str());
    const bool adds_up = option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
    if (adds_up && is_given(option->get_name(), argc, argv))
      continue;
    if (value != nullptr && *value != '\0')
      arguments.push_back(option->get_name() + '=' + value);
  }
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  std::reverse(arguments.begin(), arguments.end()); // as CLI11 takes a vector
  return arguments;
}

/// CLI11's texts may have several lines; the operator gets one.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() && text.back() == ' ')
    text.pop_back();
  return net::log_line(text);
}

/// All that may be said on the command line, bound to what it is read into.
class command_line {
public:
  explicit command_line(options& into);

  /// Reads flags, environment and file. Throws `CLI::Error`, or `bad_option`.
  void read(int argc, const char* const* argv);

  [[nodiscard]] parse_result result() const;

  CLI::App app{"Canang: rooms over WebSocket. What is published to a room reaches every member.",
               "canang"};
  bool check_only = false;

private:
  [[nodiscard]] CLI::App& add_command(const std::string& name, const std::string& help);
  void add_url(CLI::App& command);
  void read_file();
  void note_given();

  options& into_;
  parse_result result_;
  CLI::App& health_;
  CLI::App& drain_;
  CLI::App& reload_;
  CLI::App& import_centrifugo_;
  CLI::App& token_;
};

command_line::command_line(options& into)
  : into_(into),
    health_(add_command("health", "ask a node whether it may have traffic: exit code 0 or 1")),
    drain_(add_command("drain", "let a node close its connections and end, as by SIGTERM")),
    reload_(add_command("reload", "let a process of this machine or container read its config file "
                                  "again, as by SIGHUP")),
    import_centrifugo_(add_command("import-centrifugo", "print the config file that means the same "
                                                        "as a Centrifugo's config.json")),
    token_(add_command("token", "mint a token for a client, or --check one")) {
  app.set_version_flag("--version", "canang " CANANG_VERSION, "print the version and leave");
  app.add_flag("--check-config", check_only, "say whether the options are right, and leave");
  app
    .add_option("--config", into.config_file, "read options and settings of rooms from a TOML file")
    ->envname(environment_name("--config"))
    ->type_name("FILE")
    ->take_last();
  app.footer("Each option may be given as a flag, as an environment variable (--ping-interval as\n"
             "CANANG_PING_INTERVAL) or as a key of the config file (ping-interval = \"25s\"); the\n"
             "first that is found in this order counts. Durations: 500ms, 25s, 5m. Sizes: 64KiB,\n"
             "1MiB. The file may also have tables: [rooms] and [namespaces.NAME].");
  app.get_formatter()->column_width(36);
  add_options(app, into);
  add_url(health_);
  add_url(drain_);
  reload_.add_option("PID", result_.process_id, "of the process; 1 is a container's first")
    ->type_name("")
    ->check(CLI::Range(1, std::numeric_limits<std::int32_t>::max()));
  import_centrifugo_.add_option("FILE", result_.file, "configuration of Centrifugo in JSON")
    ->type_name("")
    ->required();
  add_token_command_options(token_, result_.token);
  into.server.version = CANANG_VERSION;
}

CLI::App& command_line::add_command(const std::string& name, const std::string& help) {
  return *app.add_subcommand(name, help);
}

void command_line::add_url(CLI::App& command) {
  command
    .add_option("URL", result_.url,
                "of its internal port; by default that of --internal-listen here")
    ->type_name("");
}

void command_line::read(int argc, const char* const* argv) {
  app.parse(arguments_with_environment(app, argc, argv));
  into_.server.room_settings = room_settings_of_options(into_.server);
  try {
    read_file();
    check_front_options(into_.server);
  } catch (const bad_option& wrong) {
    // A server that runs goes on with what the file said before, and so must its health check.
    if (!health_.parsed() || check_only)
      throw;
    std::cerr << "canang: " << net::log_line(wrong.what()) << '\n';
  }
  note_given();
}

void command_line::read_file() {
  if (app.get_option("--config")->count() == 0)
    return;
  const configuration_file file{into_.config_file};
  file.apply_options(app);
  auto& rooms = into_.server.room_settings;
  rooms = room_settings_of_options(into_.server);
  file.apply_rooms(into_.server.loops.limits.max_message_bytes, rooms);
}

void command_line::note_given() {
  for (const auto* option : app.get_options()) {
    if (option->get_envname().empty())
      continue;
    auto given = option->results();
    if (given.empty())
      given.push_back(option->get_default_str());
    into_.given.emplace(option->get_name().substr(2), std::move(given));
  }
}

parse_result command_line::result() const {
  auto result = result_;
  result.what = health_.parsed()              ? command::health
                : drain_.parsed()             ? command::drain
                : reload_.parsed()            ? command::reload
                : import_centrifugo_.parsed() ? command::import_centrifugo
                : token_.parsed()             ? command::token
                                              : command::serve;
  return result;
}

/// Does `read`, and makes one kind of what it throws but for help and version.
void read_or_refuse(command_line& line, int argc, const char* const* argv) {
  try {
    line.read(argc, argv);
  } catch (const CLI::Success&) {
    throw;
  } catch (const CLI::ParseError& wrong) {
    throw bad_option{one_line(wrong.what())};
  } catch (const bad_option& wrong) {
    throw bad_option{net::log_line(wrong.what()), wrong.exit_code};
  }
}

} // namespace

parse_result parse_options(int argc, const char* const* argv, options& into) {
  command_line line{into};
  try {
    read_or_refuse(line, argc, argv);
  } catch (const CLI::Success& wanted) { // help or version
    return {.what = command::leave, .exit_code = line.app.exit(wanted)};
  } catch (const bad_option& wrong) {
    std::cerr << "canang: " << wrong.what() << '\n';
    return {.what = command::leave, .exit_code = wrong.exit_code};
  }
  if (line.check_only) {
    std::cout << "the configuration is right\n";
    return {.what = command::leave, .exit_code = 0};
  }
  return line.result();
}

std::optional<std::string> reread_options(int argc, const char* const* argv, options& into) {
  command_line line{into};
  try {
    read_or_refuse(line, argc, argv);
  } catch (const bad_option& wrong) {
    return wrong.what();
  }
  return std::nullopt;
}

} // namespace canang::app
