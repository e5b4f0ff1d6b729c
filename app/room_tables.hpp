#pragma once

#include "app/toml_document.hpp"
#include "cluster/room_settings.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace canang::app {

/// What the history of a room may be; the flags of these names and the tables have the same limits.
inline constexpr std::uint64_t max_history_size = 1'000'000;
inline constexpr std::uint64_t max_history_bytes = 1ULL << 30U;
inline constexpr std::chrono::milliseconds least_history_ttl{100};

/// What `slow-mode` and `members-max` may be.
inline constexpr std::chrono::milliseconds max_slow_mode = std::chrono::hours{24};
inline constexpr std::uint64_t max_members_max = 1'000'000;

/// What `slow-consumers` may be.
inline constexpr std::string_view slow_consumers_words = "one of disconnect, drop-oldest, latest";
[[nodiscard]] std::optional<cluster::slow_consumers>
parse_slow_consumers(std::string_view text) noexcept;

/// What `compression` may be.
inline constexpr std::string_view compression_words = "one of off, deflate";
[[nodiscard]] std::optional<bool> parse_compression(std::string_view text) noexcept;
inline constexpr std::uint64_t max_compression_min_bytes = 1ULL << 30U;

/// Whether a top-level key is one of the tables that are read here.
[[nodiscard]] bool is_room_table(std::string_view key) noexcept;

/// Reads `[rooms]` and `[namespaces.NAME]` of a document into `table`, whose `rooms` have what flags say, and
/// are what namespaces inherit. No room may allow larger messages than `max_message_bytes`.
/// @returns the first fault in the text; then `table` is of no use.
[[nodiscard]] std::optional<text_fault> read_room_tables(const toml_value& document,
                                                         std::size_t max_message_bytes,
                                                         cluster::room_settings_table& table);

} // namespace canang::app
