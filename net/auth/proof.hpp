#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace canang::net {

/// What came of looking at a token.
enum class proof : std::uint8_t {
  good,
  missing,     ///< there is none, and nobody is let in without one
  bad,         ///< not ours, or not for this
  expired,     ///< it was good
  unavailable, ///< cannot be told at present
};
inline constexpr std::size_t proof_count = 5;

/// The label of one, as in `canang_token_checks_total{result=...}`.
[[nodiscard]] std::string_view to_string(proof what) noexcept;

} // namespace canang::net
