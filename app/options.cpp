#include "app/options.hpp"

#include "app/access_options.hpp"
#include "app/cpu_budget.hpp"
#include "app/memory_budget.hpp"
#include "app/open_files.hpp"
#include "app/option_adder.hpp"
#include "app/units.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace canang::app {

namespace {

constexpr std::uint64_t automatic = std::numeric_limits<std::uint64_t>::max();
static_assert(automatic == all_connections);

/// What --redis says cannot be; the text is for the operator and holds no password.
struct bad_cluster : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A shard's URL is no slip of the pen that CLI11 could show: it may hold a password.
void take_redis_urls(const std::vector<std::string>& given, actors::cluster_options& into) {
  into.shards.clear();
  for (const auto& text : given) {
    for (const auto& url : cluster::split_redis_urls(text)) {
      auto parsed = cluster::parse_redis_url(url);
      if (const auto* const fault = std::get_if<std::string>(&parsed))
        throw bad_cluster{fmt::format("--redis: {}", *fault)};
      into.shards.push_back(std::move(std::get<cluster::redis_target>(parsed)));
    }
  }
  for (std::size_t i = 0; i < into.shards.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (into.shards[i].identity() == into.shards[k].identity())
        throw bad_cluster{fmt::format("--redis: {} is named twice", into.shards[i].identity())};
}

void add_cluster_options(CLI::App& app, option_adder& adder, actors::cluster_options& into) {
  using std::chrono::milliseconds;
  constexpr std::uint64_t one_gib = 1ULL << 30U;
  adder.group("Cluster");
  adder.list(
    "--redis", [&into](const auto& given) { take_redis_urls(given, into); }, "none",
    "links the nodes: redis://, rediss:// or sentinel://h1,h2/name; each one is a shard");
  adder.text("--redis-prefix", into.links.prefix, "canang", "of every key and channel");
  adder.text("--redis-ca", into.links.ca_file, "system",
             "PEM file with the authorities of rediss://");
  adder.text("--redis-cert", into.links.cert_file, "none", "PEM file, certificate of this client");
  adder.text("--redis-key", into.links.key_file, "none", "PEM file, its key");
  adder.duration("--redis-connect-timeout", into.links.connect_timeout, milliseconds{50}, "2s",
                 "time to connect to Redis");
  adder.duration("--redis-command-timeout", into.links.command_timeout, milliseconds{50}, "2s",
                 "time for Redis to answer, before the link is rebuilt");
  adder.duration("--redis-publish-timeout", into.rooms.publish_timeout, milliseconds{50}, "2s",
                 "how long a publish waits while Redis is away, before it fails");
  adder.size("--redis-publish-buffer", into.rooms.publish_buffer_bytes, 1024, 64 * one_gib, "64MiB",
             "bytes of publishes that may wait meanwhile");
  adder.duration("--redis-probe-interval", into.links.probe_interval, milliseconds{50}, "2s",
                 "how often delivery through Redis is proved");
  adder.duration("--redis-probe-timeout", into.links.probe_timeout, milliseconds{50}, "5s",
                 "time for the proof, before the links are rebuilt");
  adder.text("--advertise", into.advertise, "internal-listen",
             "how this node is shown to others, such as its pod's name");
  adder.duration("--rebalance-after", into.rebalance_after, milliseconds{0}, "30s",
                 "with over 1.2 x the nodes' mean connections for so long, shed some; 0: never");
  adder.list(
    "--presence", [&into](const auto& given) { into.rules.presence = split_list(given); }, "*",
    "rooms whose members are kept, by name with * and ?");
  adder.list(
    "--join-leave", [&into](const auto& given) { into.rules.join_leave = split_list(given); },
    "none", "rooms in which coming and going is published");
  app.add_flag_callback("--no-lineage", [&into] { into.rooms.uses_lineage = false; })
    ->group(""); // for the test that shows what the lineage is for
}

/// A parser that also takes `auto`, which becomes a number by `settle_limits`.
template <class Parse>
auto auto_or(Parse parse) {
  return [parse](const std::string& text) -> std::optional<std::uint64_t> {
    if (text == "auto")
      return automatic;
    return parse(text);
  };
}

void add_admission_options(option_adder& adder, actors::server_options& into) {
  auto& limits = into.admission;
  limits.max_connections = automatic;
  limits.max_memory_bytes = automatic;
  into.outbox_budget_bytes = automatic;
  adder.add("--max-connections", limits.max_connections, auto_or(parse_count), "auto or a number",
            "auto", "connections that are taken; auto: what the limit of open files allows");
  adder.number(
    "--max-connections-per-ip", limits.connections_per_address, 0, 1'000'000'000, "0",
    "of an IPv4 address or an IPv6 /64, all kinds; 0 without limit, as behind a balancer");
  adder.add("--memory-limit", limits.max_memory_bytes, auto_or(parse_size),
            "auto or a size such as 512MiB", "auto",
            "memory in use above which none is taken; auto: 80 % of the cgroup's limit");
  adder.number("--accept-rate", limits.accepts_per_second, 0, 1'000'000, "0",
               "new connections a second that are taken, 0 without limit");
  adder.add("--outbox-budget", into.outbox_budget_bytes, auto_or(parse_size),
            "auto or a size such as 256MiB", "auto",
            "what may wait for and from clients; auto: a quarter of the memory limit; 0: no limit");
}

void add_room_options(option_adder& adder, actors::server_options& into) {
  using std::chrono::milliseconds;
  constexpr std::uint64_t one_gib = 1ULL << 30U;
  auto& loops = into.loops;
  adder.group("Rooms");
  adder.number("--history-size", loops.history.history_size, 0, 1'000'000, "128",
               "messages kept a room, and as many joins and leaves");
  adder.size("--history-bytes", loops.history.history_bytes, 0, one_gib, "512KiB",
             "bytes of payload kept a room");
  adder.duration("--history-ttl", loops.history.history_ttl, milliseconds{100}, "5m",
                 "how long a room's history is kept after its last publication");
  into.history_budget_bytes = automatic;
  adder.add("--history-budget", into.history_budget_bytes, auto_or(parse_size),
            "auto or a size such as 256MiB", "auto",
            "memory for all histories; auto: a quarter of --memory-limit, or 256MiB without one");
  into.max_rooms = automatic;
  adder.add("--max-rooms", into.max_rooms, auto_or(parse_count), "auto or a number", "auto",
            "rooms that are known, 0 without limit; auto: by --memory-limit, or 1000000");
  adder.duration("--room-linger", loops.rooms.room_linger, milliseconds{0}, "1s",
                 "how long a room without members keeps its actor");
}

void add_rate_options(option_adder& adder, net::session_limits& into) {
  constexpr std::uint64_t most_messages = 1'000'000'000;
  constexpr std::uint64_t most_bytes = 64ULL << 30U;
  adder.number("--publish-rate", into.publishing.messages_a_second, 0, most_messages, "1000",
               "messages a second that one client may send; 0 without limit");
  adder.size("--publish-bytes-rate", into.publishing.bytes_a_second, 0, most_bytes, "1MiB",
             "bytes of messages a second that one client may send; 0 without limit");
  adder.number("--room-publish-rate", into.publishing_in_room.messages_a_second, 0, most_messages,
               "2000", "messages a second that all clients here may send to one room; 0: no limit");
  adder.size("--room-publish-bytes-rate", into.publishing_in_room.bytes_a_second, 0, most_bytes,
             "2MiB", "bytes of messages a second, the same; 0 without limit");
}

void add_options(CLI::App& app, options& into) {
  using std::chrono::milliseconds;
  auto& server = into.server;
  auto& loops = server.loops;
  constexpr std::uint64_t one_gib = 1ULL << 30U;
  option_adder adder{app};

  adder.group("Addresses");
  adder.address("--listen", server.listen, "0.0.0.0:8000",
                "public: chat page and WebSocket; port 0 takes a free one");
  adder.address("--internal-listen", server.internal_listen, "127.0.0.1:9000",
                "internal: probes, metrics, and what operators ask and order");

  add_access_options(adder, server);

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

  add_cluster_options(app, adder, server.cluster);

  adder.group("Shutdown");
  adder.duration("--drain-grace", server.drain.grace, milliseconds{0}, "5s",
                 "after SIGTERM: unready, but serving as before, for balancers to notice");
  adder.duration("--drain-period", server.drain.period, milliseconds{0}, "25s",
                 "after the grace: time for closing all connections at an even pace");

  adder.group("Logs");
  adder.choice("--log-level", into.log_level, {"trace", "debug", "info", "warn", "error", "off"},
               "least level that is logged");
  adder.choice("--log-format", into.log_format, {"text", "json"}, "one line an event, either way");
}

CLI::App& add_command(CLI::App& app, const std::string& name, const std::string& help,
                      std::string& url) {
  auto* const command = app.add_subcommand(name, help);
  command->add_option("URL", url, "of its internal port; by default that of --internal-listen here")
    ->type_name("");
  return *command;
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
  return text;
}

} // namespace

parse_result parse_options(int argc, const char* const* argv, options& into) {
  CLI::App app{"Canang: rooms over WebSocket. What is published to a room reaches every member.",
               "canang"};
  app.set_version_flag("--version", "canang " CANANG_VERSION, "print the version and leave");
  bool check_only = false;
  app.add_flag("--check-config", check_only, "say whether the options are right, and leave");
  app
    .set_config("--config", "", "read options from this file: lines of `name=value`, `#` comments")
    ->envname("CANANG_CONFIG")
    ->type_name("FILE")
    ->take_last();
  app.allow_config_extras(CLI::config_extras_mode::error);
  app.footer("Each option may be given as a flag, as an environment variable (--ping-interval as\n"
             "CANANG_PING_INTERVAL) or as a key of the config file (ping-interval=25s); the first\n"
             "that is found in this order counts. Durations: 500ms, 25s, 5m. Sizes: 64KiB, 1MiB.");
  app.get_formatter()->column_width(36);
  add_options(app, into);
  std::string url;
  auto& health =
    add_command(app, "health", "ask a node whether it may have traffic: exit code 0 or 1", url);
  auto& drain =
    add_command(app, "drain", "let a node close its connections and end, as by SIGTERM", url);
  into.server.version = CANANG_VERSION;
  try {
    app.parse(arguments_with_environment(app, argc, argv));
  } catch (const CLI::Success& wanted) { // help or version
    return {command::leave, app.exit(wanted)};
  } catch (const bad_cluster& wrong) {
    std::cerr << "canang: " << one_line(wrong.what()) << '\n';
    return {command::leave, 1};
  } catch (const CLI::FileError& wrong) {
    std::cerr << "canang: --config: " << one_line(wrong.what()) << '\n';
    return {command::leave, 2};
  } catch (const CLI::ParseError& wrong) {
    std::cerr << "canang: " << one_line(wrong.what()) << '\n';
    return {command::leave, 2};
  }
  if (check_only) {
    std::cout << "the configuration is right\n";
    return {command::leave, 0};
  }
  if (health.parsed())
    return {command::health, 0, url};
  if (drain.parsed())
    return {command::drain, 0, url};
  return {command::serve, 0};
}

settled_limits settle_limits(actors::server_options& into) {
  auto& limits = into.admission;
  settled_limits result;
  const auto open_files = raise_open_files_limit();
  const file_users users{into.workers, into.cluster.shards.size()};
  if (open_files < least_files(users)) {
    result.fault = fmt::format("the limit of open files is {}; this node needs {} at least: "
                               "`ulimit -n`, LimitNOFILE=, or fewer --workers",
                               open_files, least_files(users));
    return result;
  }
  const auto wanted = limits.max_connections == 0 ? all_connections : limits.max_connections;
  const auto shares = share_files(open_files, users, wanted);
  limits.max_connections = shares.connections;
  into.loops.limits.max_http_connections = shares.http_connections_a_loop;
  if (wanted != all_connections && wanted > shares.connections)
    result.warning =
      fmt::format("--max-connections {} is more than the limit of open files ({}) has room for: "
                  "{} are taken",
                  wanted, open_files, shares.connections);
  auto budget = find_memory_budget();
  if (limits.max_memory_bytes == automatic)
    limits.max_memory_bytes =
      static_cast<std::uint64_t>(static_cast<double>(budget.limit_bytes) * admitted_part);
  if (into.outbox_budget_bytes == automatic)
    into.outbox_budget_bytes = limits.max_memory_bytes != 0
                                 ? std::max<std::uint64_t>(limits.max_memory_bytes / 4, 1)
                                 : default_outbox_budget_bytes;
  if (into.history_budget_bytes == automatic)
    into.history_budget_bytes = history_budget_of(limits.max_memory_bytes);
  if (into.max_rooms == automatic)
    into.max_rooms = max_rooms_of(limits.max_memory_bytes);
  into.memory_used = std::move(budget.used_bytes);
  return result;
}

} // namespace canang::app
