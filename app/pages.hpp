#pragma once

#include "net/http/types.hpp"

namespace canang::app {

/// The public pages: the chat page and what belongs to it, from the embedded files.
[[nodiscard]] net::page_response public_page(const net::page_request& request);

} // namespace canang::app
