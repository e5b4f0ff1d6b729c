#pragma once

#include "app/token_options.hpp"

#include <string>

namespace canang::app {

/// `canang token --check`: prints header and claims of a token, and whether it holds with the keys of the options.
/// @param given the token, or `-` for what standard input has.
/// @returns the exit code: 0 where it holds, else 1.
[[nodiscard]] int check_and_print(const std::string& given, const token_options& options);

} // namespace canang::app
