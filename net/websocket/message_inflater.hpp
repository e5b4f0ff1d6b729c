#pragma once

#include "net/metrics.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace canang::net {

/// Inflates the messages that clients have compressed (RFC 7692, 7.2.2): each whole, and by itself. What a message
/// becomes is bounded while it is made, so a bomb costs no more than the largest message that is allowed.
///
/// One a loop, used on its thread: sessions gather a message as it came, so nothing is kept for a connection. Its
/// memory is some 48 KB, had with the first message, and that of the largest message lately.
class message_inflater {
public:
  enum class outcome : std::uint8_t {
    whole,
    too_big,  ///< it would be larger than it may
    invalid,  ///< no DEFLATE data, or cut short
    not_utf8, ///< a text that is none (RFC 6455, 8.1)
  };

  struct message {
    outcome what = outcome::invalid;
    std::span<const char> payload{}; ///< of one that is whole; valid until the next call
    std::size_t made_bytes = 0;      ///< what it cost, whatever the outcome
  };

  explicit message_inflater(loop_metrics& metrics) noexcept;
  message_inflater(const message_inflater&) = delete;
  message_inflater& operator=(const message_inflater&) = delete;
  ~message_inflater();

  /// @param packed the payload of all frames of the message.
  /// @param max_bytes of the message when it is inflated.
  [[nodiscard]] message inflate(std::span<const char> packed, bool is_text, std::size_t max_bytes);

private:
  struct stream;

  [[nodiscard]] bool begin();

  loop_metrics& metrics_;
  std::unique_ptr<stream> stream_;
  std::vector<char> made_;
};

} // namespace canang::net
