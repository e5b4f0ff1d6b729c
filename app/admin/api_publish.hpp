#pragma once

#include "actors/server.hpp"
#include "net/http/request.hpp"
#include "net/http/responder.hpp"

namespace canang::admin {

/// `POST /api/publish`: answered when the publication is stored, or is not.
void answer_publish(actors::server& node, const net::http_request& request,
                    net::responder& respond);

} // namespace canang::admin
