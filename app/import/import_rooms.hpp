#pragma once

#include "app/import/imported_keys.hpp"
#include "app/import/toml_writer.hpp"

#include <string_view>

namespace canang::app {

/// Writes what the options of channels in `keys` mean as settings of rooms, all of them, since the defaults differ.
/// In version 6 their names begin with `v6`.
/// @param anonymous whether clients without a user could connect there
void write_room_settings(imported_keys& keys, std::string_view v6, bool anonymous,
                         toml_writer& out);

} // namespace canang::app
