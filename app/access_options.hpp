#pragma once

#include "actors/server.hpp"
#include "app/admin/console.hpp"
#include "app/option_adder.hpp"

namespace canang::app {

/// Adds the options that say who may do what: web pages that connect, and whoever asks the internal port.
void add_access_options(option_adder& adder, actors::server_options& into,
                        admin::console_options& console);

} // namespace canang::app
