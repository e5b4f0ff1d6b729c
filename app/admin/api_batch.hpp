#pragma once

#include "actors/server.hpp"
#include "app/admin/api_batch_request.hpp"
#include "net/http/responder.hpp"

#include <functional>
#include <string>

namespace canang::admin {

/// Executes a batch's commands, in their order: each begins when those before it are answered, but for those of one kind
/// in a row, which have nothing to wait for. On the internal loop; `done` is called there, once, with the answer.
void execute_batch(actors::server& node, api_batch&& batch,
                   std::function<void(net::page_response&&)> done);

} // namespace canang::admin
