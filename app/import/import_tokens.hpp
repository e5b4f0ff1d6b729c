#pragma once

#include "app/import/imported_keys.hpp"
#include "app/import/toml_writer.hpp"

namespace canang::app {

/// Writes how clients prove who they are: keys of tokens, what is asked of them, and who may do without.
/// @returns whether who has no user could connect there, and cannot without a token where one was needed.
[[nodiscard]] bool write_token_options(imported_keys& keys, toml_writer& out);

/// Writes which parts of a room's name say something.
void write_name_options(imported_keys& keys, toml_writer& out);

} // namespace canang::app
