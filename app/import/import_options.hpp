#pragma once

#include "app/import/imported_keys.hpp"
#include "app/import/toml_writer.hpp"

namespace canang::app {

/// Writes what the keys of a configuration of Centrifugo mean as options, those for Redis apart.
void write_options_before_redis(imported_keys& keys, toml_writer& out);
void write_options_after_redis(imported_keys& keys, toml_writer& out);

/// Writes the options for the Redis of a cluster.
void write_redis_options(imported_keys& keys, toml_writer& out);

} // namespace canang::app
