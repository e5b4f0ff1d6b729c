#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace canang::net {

/// WebSocket frames as in RFC 6455, section 5.2: what the server writes itself, and what it looks at
/// before Beast does.

enum class frame_type : std::uint8_t { text = 0x1, binary = 0x2 };

/// Appends one unfragmented, unmasked data frame to `out`. The payload may have any size.
void append_frame(std::string& out, frame_type type, std::string_view payload);

/// Bytes that `append_frame` adds for a payload of `payload_bytes`.
[[nodiscard]] std::size_t frame_size(std::size_t payload_bytes) noexcept;

/// Appends a close frame with `code` and at most 123 bytes of `reason`, cut between code points.
void append_close_frame(std::string& out, std::uint16_t code, std::string_view reason);

/// Whether the last character of `text` is whole, where all before it is known to be valid UTF-8 (RFC 3629).
[[nodiscard]] bool ends_with_a_whole_character(std::span<const char> text) noexcept;

/// Whether a client may close with `code` (RFC 6455, 7.4): 1000 to 1003, 1007 to 1014 as registered
/// since, and 3000 to 4999. Beast 1.81 lets 5000 and above through.
[[nodiscard]] constexpr bool is_close_code(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014)
         || (code >= 3000 && code <= 4999);
}

/// An empty ping frame.
inline constexpr std::string_view ping_frame{"\x89\x00", 2};

/// Follows the frame headers in a stream of client bytes and finds the one thing that Beast 1.81
/// lets through: a 64-bit payload length with its highest bit set (RFC 6455 5.2 forbids it).
/// Everything else is left to Beast. Twenty bytes of state a connection; no allocation.
class frame_guard {
public:
  /// Takes the next bytes as they come from the socket.
  /// @returns false once such a length was seen; the stream must not be read any further.
  [[nodiscard]] bool feed(std::span<const std::uint8_t> bytes) noexcept;

private:
  void finish_header() noexcept;

  std::uint64_t payload_left_ = 0;
  std::uint64_t length_ = 0;
  std::uint8_t header_read_ = 0;      // header bytes seen of the current frame
  std::uint8_t header_size_ = 2;      // header bytes in all, as far as known
  std::uint8_t length_bytes_end_ = 2; // where the extended length ends in the header
  bool failed_ = false;
};

} // namespace canang::net
