#pragma once

#include "net/hooks/hook_source.hpp"
#include "net/http/rejection.hpp"
#include "net/http/request.hpp"

#include <optional>
#include <string_view>

namespace canang::net {

/// Takes what the operator's program is told of how a client came. Of its request's fields those that the operator names
/// are kept, 8 KiB of them at most.
/// @param hooks null: there are none, and nothing is told.
/// @param transport of static storage, like `protocol`.
/// @returns why it is refused: with more, what a proxy in front says of it could be pushed out.
[[nodiscard]] std::optional<rejection>
read_hook_origin(const http_request& request, const hook_source* hooks, std::string_view transport,
                 std::string_view protocol, hook_origin_ptr& into);

} // namespace canang::net
