#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace canang::net {

/// What the operator's program is asked about a client, or told, with Centrifugo's names of its proxies.
enum class hook_kind : std::uint8_t {
  connect,     ///< who is it?
  refresh,     ///< may it stay?
  subscribe,   ///< may it be in this room?
  publish,     ///< may it say this in this room?
  sub_refresh, ///< may it stay in this room?
  rpc,         ///< it asks this
  disconnect,  ///< it has gone
  rooms,       ///< a room has members on this node now, or has none any more
};
inline constexpr std::size_t hook_count = 8;

/// Whether the program is only told of it: nobody waits for the answer.
[[nodiscard]] constexpr bool is_event(hook_kind what) noexcept {
  return what == hook_kind::disconnect || what == hook_kind::rooms;
}

/// As in `canang_hook_requests_total{hook=...}`.
[[nodiscard]] std::string_view to_string(hook_kind what) noexcept;

} // namespace canang::net
