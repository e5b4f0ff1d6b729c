#pragma once

#include "app/options.hpp"

#include <string>

namespace canang::app {

/// Adds the options that say who may come without a token, and what names of rooms say of users.
void add_identity_options(option_adder& adder, options& into);

/// For one that is to serve: derives from them, and from whether there are keys for tokens, who clients are taken for.
struct settled_identities {
  std::string fault{};   ///< one line; then it cannot serve
  std::string warning{}; ///< one line for the log: anybody may come, from anywhere
};
[[nodiscard]] settled_identities settle_identities(options& of);

} // namespace canang::app
