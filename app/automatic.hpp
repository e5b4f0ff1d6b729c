#pragma once

#include "app/open_files.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace canang::app {

/// What an option has while it says `auto`, until `settle_limits` puts a number there.
inline constexpr std::uint64_t automatic = std::numeric_limits<std::uint64_t>::max();
static_assert(automatic == all_connections);

/// A parser that also takes `auto`.
template <class Parse>
auto auto_or(Parse parse) {
  return [parse](const std::string& text) -> std::optional<std::uint64_t> {
    if (text == "auto")
      return automatic;
    return parse(text);
  };
}

} // namespace canang::app
