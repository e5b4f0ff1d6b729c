#pragma once

#include "app/admin/api_json.hpp"
#include "app/admin/api_request.hpp"

#include <string>

/// Fields that several requests to the server API have. As `api_json.hpp`, for what parses alone.

namespace canang::admin {

/// `channel`, which has to be there.
[[nodiscard]] std::string room_of(const api_fields& given, complaint& wrong);

/// A position: `offset`, and an `epoch` that has to be there.
[[nodiscard]] api_position since_of(const simdjson::dom::object& where, complaint& wrong);

} // namespace canang::admin
