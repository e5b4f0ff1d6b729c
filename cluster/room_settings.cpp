#include "cluster/room_settings.hpp"

#include <algorithm>

namespace canang::cluster {

namespace {

const room_settings& said_of(const room_settings_table& table, std::string_view room) noexcept {
  if (const auto colon = room.find(':'); colon != std::string_view::npos)
    if (const auto found = table.namespaces.find(room.substr(0, colon));
        found != table.namespaces.end())
      return found->second;
  return table.rooms;
}

} // namespace

room_settings room_settings_table::of(std::string_view room) const noexcept {
  auto settings = said_of(*this, room);
  if (!settings.presence_is_said)
    settings.presence = settings.presence && rules.keeps_presence(room);
  if (!settings.join_leave_is_said)
    settings.join_leave = settings.join_leave || rules.announces(room);
  return settings;
}

bool room_settings_table::compresses() const noexcept {
  return rooms.compresses
         || std::any_of(namespaces.begin(), namespaces.end(),
                        [](const auto& space) { return space.second.compresses; });
}

} // namespace canang::cluster
