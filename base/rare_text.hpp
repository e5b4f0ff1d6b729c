#pragma once

#include "base/memory_cost.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace canang {

/// A text that is nearly always empty, kept once a connection: then 8 bytes instead of 32. Never
/// changes; a value.
class rare_text {
public:
  rare_text() = default;
  explicit rare_text(const std::string& text)
    : text_(text.empty() ? nullptr : std::make_unique<const std::string>(text)) {}

  [[nodiscard]] const std::string& str() const noexcept {
    static const std::string nothing;
    return text_ ? *text_ : nothing;
  }

  /// Bytes of memory that it takes beside itself.
  [[nodiscard]] std::size_t cost() const noexcept {
    return text_ ? allocated(sizeof(std::string)) + heap_of(*text_) : 0;
  }

private:
  std::unique_ptr<const std::string> text_;
};

} // namespace canang
