#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// WebSocket frames from the client's side (RFC 6455, section 5.2).
namespace canang::load {

enum class opcode : std::uint8_t {
  continuation = 0x0,
  text = 0x1,
  binary = 0x2,
  close = 0x8,
  ping = 0x9,
  pong = 0xA,
};

struct frame_header {
  bool fin = false;
  opcode op = opcode::continuation;
  std::size_t header_size = 0;
  std::uint64_t payload_size = 0;
};

enum class parse_result : std::uint8_t { complete, incomplete, malformed };

namespace detail {
/// Everything but short unmasked frames.
parse_result parse_long_header(const std::uint8_t* p, std::size_t size, frame_header& h) noexcept;
} // namespace detail

/// Reads the header of a frame that a server sent. `complete` says that the header is complete, not
/// that the payload is here. A masked frame, a reserved bit, an unknown opcode, a control frame
/// that is long or in fragments is `malformed`.
inline parse_result parse_header(const std::uint8_t* p, std::size_t size,
                                 frame_header& h) noexcept {
  // The case that matters: a whole message of up to 125 bytes.
  if (size >= 2 && (p[0] == 0x81 || p[0] == 0x82) && p[1] < 126) [[likely]] {
    h = {true, static_cast<opcode>(p[0] & 0x0F), 2, p[1]};
    return parse_result::complete;
  }
  return detail::parse_long_header(p, size, h);
}

/// Appends a masked frame, as a client must send it.
void append_frame(std::string& out, opcode op, std::string_view payload, std::uint32_t mask);

/// Appends a close frame with a code and no reason.
void append_close(std::string& out, std::uint16_t code, std::uint32_t mask);

/// The code in the payload of a close frame, 1005 when there is none.
std::uint16_t close_code(std::string_view payload) noexcept;

} // namespace canang::load
