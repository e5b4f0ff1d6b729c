#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace canang::net {

/// WebSocket frames as in RFC 6455, section 5.2, that the server writes. Those of clients are read by
/// `frame_reader`.

enum class frame_type : std::uint8_t { text = 0x1, binary = 0x2 };

/// Appends what stands in front of `payload_bytes` in an unfragmented, unmasked data frame.
void append_frame_head(std::string& out, frame_type type, std::uint64_t payload_bytes);

/// Appends one unfragmented, unmasked data frame to `out`. The payload may have any size.
void append_frame(std::string& out, frame_type type, std::string_view payload);

/// Bytes that `append_frame` adds for a payload of `payload_bytes`.
[[nodiscard]] std::size_t frame_size(std::size_t payload_bytes) noexcept;

/// Says that a close frame carried no code; it never goes over the wire (RFC 6455, 7.1.5).
inline constexpr std::uint16_t no_close_code = 1005;

/// Appends a close frame with `code` (with `no_close_code`, an empty one) and at most 123 bytes of `reason`, cut between code points.
void append_close_frame(std::string& out, std::uint16_t code, std::string_view reason);

/// Whether a client may close with `code` (RFC 6455, 7.4): 1000 to 1003, 1007 to 1014 as registered
/// since, and 3000 to 4999.
[[nodiscard]] constexpr bool is_close_code(std::uint16_t code) noexcept {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014)
         || (code >= 3000 && code <= 4999);
}

/// Appends a pong frame that answers a ping with `payload`, of 125 bytes at most.
void append_pong_frame(std::string& out, std::string_view payload);

/// An empty ping frame.
inline constexpr std::string_view ping_frame{"\x89\x00", 2};

} // namespace canang::net
