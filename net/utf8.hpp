#pragma once

#include <cstdint>
#include <span>

namespace canang::net {

/// Checks UTF-8 as it comes, in pieces cut anywhere: finds the first byte that no valid text can have
/// there (RFC 3629, section 4: no overlong form, no surrogate, nothing above U+10FFFF). One byte of state.
class utf8_checker {
public:
  /// Follows `text`.
  /// @returns false once a byte was wrong, for good.
  bool feed(std::span<const char> text) noexcept;

  /// Whether what came so far ends with a whole character.
  [[nodiscard]] bool is_whole() const noexcept { return state_ == state::whole; }

private:
  /// What the character that has begun still needs.
  enum class state : std::uint8_t {
    whole,
    one_more,
    two_more,
    three_more,
    after_e0, // A0..BF, then one
    after_ed, // 80..9F, then one
    after_f0, // 90..BF, then two
    after_f4, // 80..8F, then two
    broken,
  };

  static state first(std::uint8_t byte) noexcept;
  static state next(state now, std::uint8_t byte) noexcept;

  state state_ = state::whole;
};

/// Whether `text` is whole and valid UTF-8.
[[nodiscard]] bool is_utf8(std::span<const char> text) noexcept;

} // namespace canang::net
