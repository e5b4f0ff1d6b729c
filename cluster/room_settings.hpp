#pragma once

#include "base/name_map.hpp"
#include "base/versioned_value.hpp"
#include "base/who_may.hpp"
#include "cluster/room_rules.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace canang::cluster {

using canang::who_may;

/// What a client that recovers is sent.
enum class recovery_mode : std::uint8_t {
  stream, ///< all that it missed, or nothing
  cache,  ///< the newest publication
};

/// How a publication is told as what it changes of the one before it.
enum class delta_type : std::uint8_t { none, fossil };

/// What becomes of a member that does not read what it is sent.
enum class slow_consumers : std::uint8_t {
  disconnect,  ///< it is closed, when more waits for it than may
  drop_oldest, ///< the oldest of what waits for it is lost, when that is more than may
  latest,      ///< all is lost to it but the newest
};

/// What an operator says of a room, or of all rooms of a namespace.
struct room_settings {
  std::size_t history_size = 128;                 ///< messages kept; joins and leaves besides
  std::size_t history_bytes = 512 * 1024;         ///< of payload kept
  std::chrono::milliseconds history_ttl{300'000}; ///< after the last publication
  std::size_t max_message_bytes = 64 * 1024;      ///< of payload
  bool presence = true;                           ///< who is in the room is kept
  bool join_leave = false;                        ///< coming and going is published in the room
  bool presence_is_said = false;   ///< `presence` is the table's own word, whatever the rules say
  bool join_leave_is_said = false; ///< likewise `join_leave`
  who_may subscribe = who_may::anyone;
  who_may publish = who_may::members;
  who_may see_presence = who_may::members;
  who_may see_history = who_may::members;
  bool user_rooms = false;      ///< names may say whose the room is, and it is theirs alone
  bool hook_subscribe = true;   ///< where there are hooks: they decide who may subscribe,
  bool hook_publish = true;     ///< who may publish what,
  bool hook_sub_refresh = true; ///< and who may stay;
  bool hook_rooms = true; ///< and they are told when the room has members, and when it has none
  slow_consumers slow = slow_consumers::disconnect;
  bool compresses = false;                 ///< what members get that can inflate it
  std::size_t compression_min_bytes = 256; ///< of payload: smaller messages are not compressed
  std::chrono::milliseconds slow_mode{0};  ///< between two publishes of a user; 0: none
  std::size_t members_max = 0;             ///< members there may be, on all nodes; 0: no limit
  // of members that speak Centrifugo's protocol
  bool force_positioning = false; ///< they are told that they have a position, asked or not
  bool force_recovery = false; ///< and that they can recover, which then needs no other permission
  bool auto_recovery = false;  ///< with `recovery_mode::cache`: also who does not ask recovers
  recovery_mode recovery = recovery_mode::stream;
  delta_type delta = delta_type::none; ///< those that ask may have it

  /// Who is in the room is kept: comings and goings can only be told of members that are known.
  [[nodiscard]] bool keeps_presence() const noexcept { return presence || join_leave; }

  friend bool operator==(const room_settings&, const room_settings&) = default;
};

/// The settings of all rooms. Never changed once it is shared; from any thread.
class room_settings_table {
public:
  /// Of a room that is called `NAME:...` those of the namespace NAME, where there is one; else `rooms`. What
  /// neither says of presence and of joins and leaves, `rules` say by the room's name.
  [[nodiscard]] room_settings of(std::string_view room) const noexcept;

  /// Whether there is a room whose messages are compressed.
  [[nodiscard]] bool compresses() const noexcept;

  room_settings rooms;
  name_map<room_settings> namespaces;
  room_rules rules;

  friend bool operator==(const room_settings_table&, const room_settings_table&) = default;
};

/// Where the settings in force are had from; they may be replaced while nodes run. From any thread.
class room_settings_source final : public versioned_value<room_settings_table> {
public:
  using versioned_value::versioned_value;
};

} // namespace canang::cluster
