#include "net/protocol/centrifugo/scratch.hpp"

#include <array>
#include <cstddef>

namespace canang::net::centrifugo {

namespace {

constexpr std::size_t max_kept_bytes = 256 * 1024;

std::string& text_of(scratch::level which) noexcept {
  static thread_local std::array<std::string, static_cast<std::size_t>(scratch::level::count)>
    texts;
  return texts[static_cast<std::size_t>(which)];
}

} // namespace

scratch::scratch(level which) noexcept : text_(text_of(which)) { text_.clear(); }

scratch::~scratch() {
  if (text_.capacity() > max_kept_bytes)
    std::string{}.swap(text_);
}

} // namespace canang::net::centrifugo
