#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace canang::cluster {

/// Characters of an epoch; short enough for a string without an allocation.
inline constexpr std::size_t epoch_size = 10;

/// A name that no earlier life of a room had: 10 characters, 50 bits of chance. From any thread.
[[nodiscard]] std::string make_epoch();

/// Whether `text` can be an epoch of ours: it goes on to clients as it is.
[[nodiscard]] bool is_epoch(std::string_view text) noexcept;

} // namespace canang::cluster
