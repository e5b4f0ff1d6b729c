#pragma once

#include <string>

namespace canang::net::centrifugo {

/// Where a message is put together: a text of the thread, empty, whose memory is kept for the next one unless it is
/// large. Those that are in use at the same time have different levels.
class scratch {
public:
  enum class level : unsigned char { payload, message, fields, count };

  explicit scratch(level which) noexcept;
  scratch(const scratch&) = delete;
  scratch& operator=(const scratch&) = delete;
  ~scratch();

  [[nodiscard]] std::string& text() const noexcept { return text_; }

private:
  std::string& text_;
};

} // namespace canang::net::centrifugo
