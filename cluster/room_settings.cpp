#include "cluster/room_settings.hpp"

namespace canang::cluster {

room_settings room_settings_table::of(std::string_view room) const noexcept {
  if (const auto colon = room.find(':'); colon != std::string_view::npos)
    if (const auto found = namespaces.find(room.substr(0, colon)); found != namespaces.end())
      return found->second;
  return rooms;
}

} // namespace canang::cluster
