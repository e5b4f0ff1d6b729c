#pragma once

#include "net/http/rejection.hpp"
#include "net/http/request.hpp"
#include "net/protocol/commands.hpp"

#include <optional>

namespace canang::net {

/// Takes the user that the query names, if it names one.
/// @returns what to answer where that can be none.
[[nodiscard]] std::optional<rejection> read_user(const http_request& request,
                                                 connection_parameters& into);

} // namespace canang::net
