#include "cluster/room_settings.hpp"

namespace canang::cluster {

room_settings room_settings_table::of(std::string_view room) const noexcept {
  auto settings = rooms;
  if (const auto colon = room.find(':'); colon != std::string_view::npos)
    if (const auto found = namespaces.find(room.substr(0, colon)); found != namespaces.end())
      settings = found->second;
  settings.presence = settings.presence && rules.keeps_presence(room);
  settings.join_leave = settings.join_leave || rules.announces(room);
  return settings;
}

} // namespace canang::cluster
