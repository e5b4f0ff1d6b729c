#pragma once

#include <string_view>

namespace canang::admin {

/// docs/openapi.json, compiled into the binary: the description of the server API. Lives as long as the program.
extern const std::string_view openapi_json;

} // namespace canang::admin
