#pragma once

#include "app/admin/api_error.hpp"
#include "base/trace_context.hpp"
#include "cluster/moderation/desk.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// What the server API is asked for, read from JSON. Fields and errors are those of Centrifugo's HTTP API
/// (https://centrifugal.dev/docs/server/server_api), so that its libraries can be used.

namespace canang::admin {

/// Longest idempotency key, in bytes: each is kept for 5 minutes.
inline constexpr std::size_t max_api_key_bytes = 255;

/// Longest name of a connection, and those that a disconnect may spare: a command to other nodes has to hold them.
inline constexpr std::size_t max_api_client_bytes = 40;
inline constexpr std::size_t max_api_spared = 32;

/// Channels that a list of them may have.
inline constexpr std::size_t max_api_channels = 10'000;

/// Rooms that one broadcast publishes in, and commands of a batch, where a broadcast counts as its rooms: they wait for
/// their brokers together, and are answered within seconds.
inline constexpr std::size_t max_api_publishes = 1000;

/// Payload that the publications of one request have together: each room gets a copy of its own.
inline constexpr std::size_t max_api_payload_bytes = 16 * 1024 * 1024;

/// What is to be published.
struct api_content {
  std::string data; ///< JSON as it was sent, without white space around its values; or bytes
  bool is_binary = false;
  std::string idempotency_key{};
  bool skip_history = false;
  std::vector<std::pair<std::string, std::string>> tags{}; ///< names and values
  std::optional<trace_context> trace{}; ///< of the request, where that is followed

  /// Bytes that each publication of it has.
  [[nodiscard]] std::size_t size() const noexcept;
};

struct api_publish {
  std::string channel;
  api_content content;
};

struct api_broadcast {
  std::vector<std::string>
    channels; ///< as they were sent: one that is no room's name has an error of its own
  api_content content;
};

/// Whose connections are meant: those of a user, or one of them. Of that one the user is empty where it has none.
struct api_target {
  std::string user;
  std::string client{}; ///< empty: all
};

/// A place in a room's order.
struct api_position {
  std::uint64_t offset = 0;
  std::string epoch;
};

struct api_disconnect {
  api_target whom;
  std::uint16_t code = 0;
  std::string reason{};
  std::vector<std::string> spared{}; ///< connections
};

struct api_subscribe {
  api_target whom;
  std::string channel;
  std::optional<api_position> since{};
};

struct api_unsubscribe {
  api_target whom;
  std::string channel;
};

struct api_refresh {
  api_disconnect end; ///< what is done where it has expired
  bool is_expired = false;
  std::optional<std::int64_t> expires_at{}; ///< else: until then; none: for good
};

struct api_presence {
  std::string channel;
};

struct api_presence_stats {
  std::string channel;
};

struct api_history {
  static constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

  std::string channel;
  std::size_t limit = 0; ///< messages; 0: only where the room stands
  std::optional<api_position> since{};
  bool is_reverse = false;
  bool is_bare = false; ///< without payloads and tags; nobody can ask for it
};

struct api_history_remove {
  std::string channel;
};

struct api_channels {
  std::string pattern; ///< by name with `*` and `?`; empty: all
};

struct api_info {};

/// An order of a moderator.
struct api_moderation {
  cluster::moderation_wish wish;
};

/// Acts in one answer.
inline constexpr std::int64_t max_api_acts = 1000;

/// Which acts are in force?
struct api_acts {
  cluster::act_list_request wanted;
};

using api_command =
  std::variant<api_info, api_publish, api_broadcast, api_disconnect, api_subscribe, api_unsubscribe,
               api_refresh, api_presence, api_presence_stats, api_history, api_history_remove,
               api_channels, api_moderation, api_acts>;

[[nodiscard]] api_parsed<api_publish> parse_publish(std::string_view body);
[[nodiscard]] api_parsed<api_broadcast> parse_broadcast(std::string_view body);
[[nodiscard]] api_parsed<api_disconnect> parse_disconnect(std::string_view body);
[[nodiscard]] api_parsed<api_subscribe> parse_subscribe(std::string_view body);
[[nodiscard]] api_parsed<api_unsubscribe> parse_unsubscribe(std::string_view body);
[[nodiscard]] api_parsed<api_refresh> parse_refresh(std::string_view body);
[[nodiscard]] api_parsed<api_presence> parse_presence(std::string_view body);
[[nodiscard]] api_parsed<api_presence_stats> parse_presence_stats(std::string_view body);
[[nodiscard]] api_parsed<api_history> parse_history(std::string_view body);
[[nodiscard]] api_parsed<api_history_remove> parse_history_remove(std::string_view body);
[[nodiscard]] api_parsed<api_channels> parse_channels(std::string_view body);
[[nodiscard]] api_parsed<api_info> parse_info(std::string_view body);
[[nodiscard]] api_parsed<api_moderation> parse_ban(std::string_view body);
[[nodiscard]] api_parsed<api_moderation> parse_unban(std::string_view body);
[[nodiscard]] api_parsed<api_moderation> parse_mute(std::string_view body);
[[nodiscard]] api_parsed<api_moderation> parse_unmute(std::string_view body);
[[nodiscard]] api_parsed<api_moderation> parse_lockdown(std::string_view body);
[[nodiscard]] api_parsed<api_acts> parse_acts(std::string_view body);

/// A method of the API: the last part of its path, and how its body is read. Those that the server knows but does
/// not have are always refused.
struct api_method {
  std::string_view name;
  api_parsed<api_command> (*read)(std::string_view body);
};

/// All but `batch`; lives as long as the program.
[[nodiscard]] std::span<const api_method> api_methods();

/// What is wrong with a room's name; empty if nothing is.
[[nodiscard]] std::string_view fault_of_channel(std::string_view name) noexcept;

/// What a command publishes: so many publications, so many bytes of payload in all.
struct api_weight {
  std::size_t publishes = 0;
  std::size_t bytes = 0;
};

[[nodiscard]] api_weight weight_of(const api_command& command) noexcept;

} // namespace canang::admin
