#pragma once

#include <atomic>
#include <memory>
#include <string>

namespace canang::cluster {

/// A short text that one thread sets now and then and any thread may read.
class shared_text {
public:
  void set(std::string text) {
    text_.store(text.empty() ? nullptr : std::make_shared<const std::string>(std::move(text)));
  }

  /// Empty when there is none.
  [[nodiscard]] std::string get() const {
    const auto text = text_.load();
    return text == nullptr ? std::string{} : *text;
  }

private:
  std::atomic<std::shared_ptr<const std::string>> text_;
};

} // namespace canang::cluster
