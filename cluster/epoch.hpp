#pragma once

#include <cstddef>
#include <string>

namespace canang::cluster {

/// Characters of an epoch; short enough for a string without an allocation.
inline constexpr std::size_t epoch_size = 10;

/// A name that no earlier life of a room had: 10 characters, 50 bits of chance. From any thread.
[[nodiscard]] std::string make_epoch();

} // namespace canang::cluster
