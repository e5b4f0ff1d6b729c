#pragma once

#include "actors/server.hpp"
#include "app/option_adder.hpp"

namespace canang::app {

/// Where the public port is.
void add_listen_options(option_adder& adder, actors::server_options& into);

/// Options of what stands between the server and its clients.
void add_front_options(option_adder& adder, actors::server_options& into);
void add_tls_options(option_adder& adder, actors::server_options& into);

/// What does not fit together of these. @throws bad_option
void check_front_options(const actors::server_options& given);

} // namespace canang::app
