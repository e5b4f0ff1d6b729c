#include "actors/room_events.hpp"

#include "base/unix_time.hpp"
#include "net/hooks/hook_source.hpp"

namespace canang::actors {

room_events::room_events(net::hook_source* hooks, const cluster::room_settings_source& settings,
                         std::string_view node) noexcept
  : hooks_(hooks != nullptr && hooks->has(net::hook_kind::rooms) ? hooks : nullptr),
    settings_(settings),
    node_(node) {}

bool room_events::note_occupied(std::string_view room) const {
  if (hooks_ == nullptr || !settings_.get()->of(room).hook_rooms)
    return false;
  tell(room, true);
  return true;
}

void room_events::note_vacated(std::string_view room) const { tell(room, false); }

void room_events::tell(std::string_view room, bool is_occupied) const {
  hooks_->tell({.what = net::hook_kind::rooms,
                .body = net::encode_room_event(unix_ms(), room, is_occupied, node_)});
}

} // namespace canang::actors
