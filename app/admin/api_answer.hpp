#pragma once

#include "app/admin/api_request.hpp"
#include "net/http/types.hpp"

#include <string>

namespace canang::admin {

/// Answers of the server API; shared by its methods.

[[nodiscard]] net::page_response api_answer(std::string json);
[[nodiscard]] net::page_response api_fault(const api_error& error);

/// Nothing can be done yet.
[[nodiscard]] net::page_response api_not_ready();

} // namespace canang::admin
