#pragma once

#include "app/import/imported_keys.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace canang::app {

/// What a key says, or nothing where it is of another type. Centrifugo takes numbers and flags in quotes as well.
[[nodiscard]] std::optional<std::int64_t> number_of(const imported_key& key);
[[nodiscard]] std::optional<bool> flag_of(const imported_key& key);
[[nodiscard]] std::optional<std::string> text_of(const imported_key& key);

/// A duration as Go writes it, such as `1h30m` or `1.5s`, or a number of nanoseconds; in whole milliseconds.
[[nodiscard]] std::optional<std::chrono::milliseconds> duration_of(const imported_key& key);

/// A list of texts, or one text with several, between which is one of `separators`.
[[nodiscard]] std::optional<std::vector<std::string>> list_of(const imported_key& key,
                                                              std::string_view separators);

/// As Canang writes them: `25s`, `64KiB`; in the largest unit that divides.
[[nodiscard]] std::string to_text(std::chrono::milliseconds duration);
[[nodiscard]] std::string size_to_text(std::uint64_t bytes);

} // namespace canang::app
