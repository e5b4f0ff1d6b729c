#pragma once

#include "base/name_map.hpp"
#include "base/shared_value.hpp"
#include "cluster/room_rules.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace canang::cluster {

/// Who may do something in a room.
enum class who_may : std::uint8_t {
  anyone,
  users,   ///< who has proved who they are
  members, ///< of the room
  token,   ///< whose token says so
  nobody,  ///< of the clients: the server API alone
};

/// What an operator says of a room, or of all rooms of a namespace.
struct room_settings {
  std::size_t history_size = 128;                 ///< messages kept; joins and leaves besides
  std::size_t history_bytes = 512 * 1024;         ///< of payload kept
  std::chrono::milliseconds history_ttl{300'000}; ///< after the last publication
  std::size_t max_message_bytes = 64 * 1024;      ///< of payload
  bool presence = true;                           ///< who is in the room is kept
  bool join_leave = false;                        ///< coming and going is published in the room
  who_may subscribe = who_may::anyone;
  who_may publish = who_may::members;
  who_may see_presence = who_may::members;
  who_may see_history = who_may::members;

  /// Who is in the room is kept: comings and goings can only be told of members that are known.
  [[nodiscard]] bool keeps_presence() const noexcept { return presence || join_leave; }

  friend bool operator==(const room_settings&, const room_settings&) = default;
};

/// The settings of all rooms. Never changed once it is shared; from any thread.
class room_settings_table {
public:
  /// Of a room that is called `NAME:...` those of the namespace NAME, where there is one; else `rooms`. What `rules`
  /// say of its name counts too: presence is kept where both keep it, and told where one of them tells it.
  [[nodiscard]] room_settings of(std::string_view room) const noexcept;

  room_settings rooms;
  name_map<room_settings> namespaces;
  room_rules rules;
};

/// Where the settings in force are had from; they may be replaced while nodes run. From any thread.
class room_settings_source {
public:
  explicit room_settings_source(std::shared_ptr<const room_settings_table> first) {
    table_.store(std::move(first));
  }

  [[nodiscard]] std::shared_ptr<const room_settings_table> get() const { return table_.load(); }
  void set(std::shared_ptr<const room_settings_table> next) { table_.store(std::move(next)); }

private:
  shared_value<std::shared_ptr<const room_settings_table>> table_;
};

} // namespace canang::cluster
