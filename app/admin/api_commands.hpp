#pragma once

#include "actors/server.hpp"
#include "net/http/request.hpp"
#include "net/http/responder.hpp"

namespace canang::admin {

/// `POST /api/disconnect` and `/api/unsubscribe`: answered when all nodes have done it, or it is known which have not.
void answer_disconnect(const actors::server& node, const net::http_request& request,
                       net::responder& respond);
void answer_unsubscribe(const actors::server& node, const net::http_request& request,
                        net::responder& respond);

} // namespace canang::admin
