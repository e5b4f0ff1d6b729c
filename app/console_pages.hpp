#pragma once

#include "net/http/router.hpp"

namespace canang::app {

/// Adds the console's page and what belongs to it, from the embedded files: `/console` and what is below. They hold no
/// secret, so they are for everyone who reaches the port: whoever uses them types the key in. Without a key there is
/// nothing to be had, and one line that says so.
void add_console_pages(net::router& paths, bool has_key);

} // namespace canang::app
