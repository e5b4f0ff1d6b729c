#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace canang::app {

/// Reads `25s`, `500ms`, `5m`, `1h` or a sum such as `1m30s`; a bare number but 0 has no unit and is
/// refused.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// Reads `64KiB`, `1MiB`, `2GiB`, `65536` or `65536B`, in bytes.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

/// Reads a number without a unit.
[[nodiscard]] std::optional<std::uint64_t> parse_count(std::string_view text);

/// Reads `0.0.0.0:8000`, `[::]:8000` or `:8000` (all IPv4 addresses).
[[nodiscard]] std::optional<boost::asio::ip::tcp::endpoint> parse_address(std::string_view text);

} // namespace canang::app
