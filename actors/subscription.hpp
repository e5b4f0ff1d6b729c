#pragma once

#include "actors/ids.hpp"
#include "actors/subscribe_tally.hpp"
#include "net/protocol/commands.hpp"

#include <caf/actor.hpp>

#include <cstdint>
#include <memory>

namespace canang::actors {

/// What a membership is to be.
struct join_wish : net::join_command {
  subscribe_tally_ptr tally{}; ///< where a command of the server API wants it, else null
  bool is_entering = false;    ///< the connect reply waits for it
  std::string room_info{};     ///< what the room's token has others know: JSON, or nothing
  net::hook_data_ptr told{};   ///< what the client is told with the answer; null: nothing
};

[[nodiscard]] inline bool wants_history(const net::join_command& wish) noexcept {
  return wish.history != 0 || wish.since || wish.newest_only;
}

/// A connection's membership of one room, from the moment at which its client asks for it, or the server wants it. Kept
/// once a connection, so every byte counts.
struct subscription {
  /// What it awaits.
  enum class state : std::uint8_t {
    asking,  ///< whether the client may join
    joining, ///< the room's answer
    joined,  ///< nothing
  };

  /// Of a generation these are kept: each change of acts is a new one, and a verdict must not come to hold again.
  static constexpr std::uint32_t generation_bits = 0xFFFFFF;

  /// What is known of the client's publishes.
  enum class permission : std::uint8_t {
    unknown,
    asking,
    allowed,
    refused,
    hooked, ///< the operator's program is asked about each
  };

  caf::actor room;                 ///< once it has joined
  std::unique_ptr<join_wish> wish; ///< until then
  subscription_id id = 0;          ///< 0: it is none
  std::uint32_t name_hash = 0;     ///< of the room's name, which is the wish's or the room's
  std::uint32_t max_message_bytes = UINT32_MAX;
  std::uint32_t generation : 24 = 0; ///< of the verdict about publishes, see `generation_bits`
  state stands : 2 = state::asking;
  permission may_publish : 3 = permission::unknown;
  bool echo : 1 = true;
  bool is_by_server : 1 = false; ///< its client has not asked for it, and waits for no answer
  bool is_paced : 1 = false;     ///< its room has a slow mode

  explicit operator bool() const noexcept { return id != 0; }
  [[nodiscard]] bool is_joined() const noexcept { return stands == state::joined; }
};

} // namespace canang::actors
