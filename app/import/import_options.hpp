#pragma once

#include "app/import/imported_keys.hpp"
#include "app/import/toml_writer.hpp"

#include <string_view>

namespace canang::app {

/// Writes what the keys of a configuration of Centrifugo mean as options, those for Redis apart.
void write_options_before_redis(imported_keys& keys, toml_writer& out);
void write_options_after_redis(imported_keys& keys, toml_writer& out);

/// Writes the addresses of both ports.
void write_addresses(imported_keys& keys, toml_writer& out);

/// Writes the options for the Redis of a cluster.
void write_redis_options(imported_keys& keys, toml_writer& out);

/// A comment about a key that is not what it has to be.
void note_wrong(const imported_key& key, std::string_view expected, toml_writer& out);

} // namespace canang::app
