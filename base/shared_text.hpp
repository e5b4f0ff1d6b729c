#pragma once

#include "base/shared_value.hpp"

#include <string>
#include <utility>

namespace canang {

/// A short text that one thread sets now and then and any thread may read.
class shared_text {
public:
  void set(std::string text) { text_.store(std::move(text)); }

  /// Empty when there is none.
  [[nodiscard]] std::string get() const { return text_.load(); }

private:
  shared_value<std::string> text_;
};

} // namespace canang
