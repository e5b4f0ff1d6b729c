#include "actors/room_access.hpp"

namespace canang::actors {

net::access_rules room_access::of(std::string_view room) {
  if (const auto now = source_.generation(); now != seen_) {
    table_ = source_.get();
    seen_ = now;
  }
  const auto settings = table_->of(room);
  return {.subscribe = settings.subscribe,
          .publish = settings.publish,
          .presence = settings.see_presence,
          .history = settings.see_history,
          .has_users = settings.user_rooms};
}

} // namespace canang::actors
