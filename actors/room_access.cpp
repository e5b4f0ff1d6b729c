#include "actors/room_access.hpp"

#include "net/hooks/hook_source.hpp"

namespace canang::actors {

room_access::room_access(const cluster::room_settings_source& source,
                         const cluster::moderation_source& acts, const net::hook_source* hooks)
  : settings_(source),
    acts_(acts),
    asks_subscribe_(hooks != nullptr && hooks->has(net::hook_kind::subscribe)),
    asks_publish_(hooks != nullptr && hooks->has(net::hook_kind::publish)) {}

net::access_rules room_access::of(std::string_view room) {
  const auto settings = settings_.get().of(room);
  return {.subscribe = settings.subscribe,
          .publish = settings.publish,
          .presence = settings.see_presence,
          .history = settings.see_history,
          .has_users = settings.user_rooms,
          .asks_subscribe = asks_subscribe_ && settings.hook_subscribe,
          .asks_publish = asks_publish_ && settings.hook_publish};
}

} // namespace canang::actors
