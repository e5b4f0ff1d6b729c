#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace canang::cluster {

/// Characters of an epoch; short enough for a string without an allocation.
inline constexpr std::size_t epoch_size = 10;

/// An epoch as publications carry it, of which there are many: 13 bytes, where a string takes 32. A value;
/// of a text that is longer than any epoch the end is left out.
class epoch_text {
public:
  epoch_text() = default;

  epoch_text& operator=(std::string_view text) noexcept {
    size_ = static_cast<std::uint8_t>(std::min(text.size(), text_.size()));
    std::copy_n(text.begin(), size_, text_.begin());
    return *this;
  }

  // NOLINTNEXTLINE(google-explicit-constructor): it is read as the text that it is
  operator std::string_view() const noexcept { return {text_.data(), size_}; }

  friend bool operator==(const epoch_text& a, std::string_view b) noexcept {
    return std::string_view{a} == b;
  }
  friend bool operator==(const epoch_text& a, const epoch_text& b) noexcept {
    return std::string_view{a} == std::string_view{b};
  }

private:
  std::array<char, 12> text_{};
  std::uint8_t size_ = 0;
};

/// A name that no earlier life of a room had: 10 characters, 50 bits of chance. From any thread.
[[nodiscard]] std::string make_epoch();

/// Whether `text` can be an epoch of ours: it goes on to clients as it is.
[[nodiscard]] bool is_epoch(std::string_view text) noexcept;

} // namespace canang::cluster
