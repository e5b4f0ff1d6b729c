#pragma once

#include "net/http/router.hpp"

namespace canang::app {

/// Adds the public pages: the chat page and what belongs to it, from the embedded files; and 404 for all else.
void add_public_pages(net::router& paths);

} // namespace canang::app
