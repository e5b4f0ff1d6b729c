#pragma once

#include "app/admin/api_error.hpp"
#include "net/http/types.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace canang::admin {

/// What came of a command of the server API: its result in JSON, or an error.
using api_outcome = api_parsed<std::string>;

/// Called once, on the internal loop.
using api_handler = std::function<void(api_outcome&&)>;

/// `{"NAME":RESULT}`, or `{"error":...}`.
[[nodiscard]] std::string to_json(std::string_view name, const api_outcome& outcome);

/// The answer to a request of that one command.
[[nodiscard]] net::page_response answer_of(const api_outcome& outcome);

/// Nothing can be done yet.
[[nodiscard]] api_error not_ready();

} // namespace canang::admin
