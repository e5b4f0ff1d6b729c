#pragma once

#include "actors/server.hpp"
#include "app/option_adder.hpp"

namespace canang::app {

/// Adds the options of what a node takes: connections, memory.
void add_admission_options(option_adder& adder, actors::server_options& into);

/// Adds the options of how much clients may send.
void add_rate_options(option_adder& adder, net::session_limits& into);

} // namespace canang::app
