#pragma once

#include "net/http/types.hpp"

#include <string>
#include <string_view>

namespace canang::admin {

/// An answer in JSON that nobody keeps.
[[nodiscard]] net::page_response json_response(unsigned status, std::string body);

/// The same for what is wrong: `{"reason":...}`.
[[nodiscard]] net::page_response json_fault(unsigned status, std::string_view reason);

} // namespace canang::admin
