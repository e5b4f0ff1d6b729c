#include "app/room_options.hpp"

#include "app/automatic.hpp"
#include "app/room_tables.hpp"
#include "net/http/target.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace canang::app {

namespace {

/// Leaves room for a user's name behind it.
constexpr std::size_t max_room_prefix_bytes = 128;

std::optional<std::string> parse_room_prefix(const std::string& text) {
  if (text.size() > max_room_prefix_bytes || !net::is_room_name(text + "a"))
    return std::nullopt;
  return text;
}

} // namespace

void add_room_options(option_adder& adder, actors::server_options& into) {
  using std::chrono::milliseconds;
  auto& loops = into.loops;
  adder.group("Rooms");
  adder.number("--history-size", loops.history.history_size, 0, max_history_size, "128",
               "messages kept a room, and as many joins and leaves");
  adder.size("--history-bytes", loops.history.history_bytes, 0, max_history_bytes, "512KiB",
             "bytes of payload kept a room");
  adder.duration("--history-ttl", loops.history.history_ttl, least_history_ttl, "5m",
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
  adder.number("--max-rooms-per-connection", loops.limits.max_rooms_per_connection, 1, 100'000,
               "128", "rooms that one connection may be in");
  adder.add("--slow-consumers", loops.history.slow, parse_slow_consumers,
            std::string{slow_consumers_words}, "disconnect",
            "what becomes of members that do not read: disconnect, drop-oldest or latest");
  adder.add("--compression", loops.history.compresses, parse_compression,
            std::string{compression_words}, "off",
            "off or deflate: compress what members are sent whose clients offer it");
  adder.size("--compression-min-bytes", loops.history.compression_min_bytes, 1,
             max_compression_min_bytes, "256", "from which payload on a message is compressed");
  adder.add("--personal-room", loops.personal_room, parse_room_prefix,
            "the beginning of a room's name, up to 128 bytes", "none",
            "what stands before a user's name in the room that its clients are put in");
  auto& rules = into.cluster.rules;
  adder.list(
    "--presence", [&rules](const auto& given) { rules.presence = split_list(given); }, "*",
    "rooms whose members are kept, by name with * and ?");
  adder.list(
    "--join-leave", [&rules](const auto& given) { rules.join_leave = split_list(given); }, "none",
    "rooms in which coming and going is published");
}

cluster::room_settings_table room_settings_of_options(const actors::server_options& given) {
  cluster::room_settings_table table;
  const auto& history = given.loops.history;
  table.rooms.history_size = history.history_size;
  table.rooms.history_bytes = history.history_bytes;
  table.rooms.history_ttl = history.history_ttl;
  table.rooms.slow = history.slow;
  table.rooms.compresses = history.compresses;
  table.rooms.compression_min_bytes = history.compression_min_bytes;
  table.rooms.max_message_bytes = given.loops.limits.max_message_bytes;
  table.rules = given.cluster.rules;
  return table;
}

} // namespace canang::app
