#pragma once

#include "app/admin/api_channels.hpp"
#include "cluster/broker.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace canang::admin {

/// What the console's page is told, in JSON. From any thread.

/// Rooms, members and publications that are told at once: what a page can show.
inline constexpr std::size_t max_console_rooms = 50;
inline constexpr std::size_t max_console_members = 100;
inline constexpr std::size_t max_console_publications = 20;

/// The rooms with most members, and how many rooms there are: `{"rooms":[{"room","members"}],"total":N}`.
[[nodiscard]] std::string busiest_rooms(const room_counts& rooms);

/// A room: how many members there are and on which nodes, and the first of those who are there.
[[nodiscard]] std::string room_result(std::string_view room, const cluster::room_report& report,
                                      bool keeps_presence);

} // namespace canang::admin
