#pragma once

#include "actors/server.hpp"
#include "app/option_adder.hpp"

namespace canang::app {

/// Adds the options of rooms: what is kept of them, and how many there may be.
void add_room_options(option_adder& adder, actors::server_options& into);

/// The settings of rooms by what these options were given, before any table says otherwise.
[[nodiscard]] cluster::room_settings_table
room_settings_of_options(const actors::server_options& given);

} // namespace canang::app
