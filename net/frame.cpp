#include "net/frame.hpp"

#include "base/cut_utf8.hpp"

#include <cassert>

namespace canang::net {

namespace {

constexpr std::uint8_t fin_bit = 0x80;
constexpr std::uint8_t length_16 = 126;
constexpr std::uint8_t length_64 = 127;
constexpr std::uint8_t close_opcode = 0x8;
constexpr std::uint8_t pong_opcode = 0xA;
constexpr std::size_t max_close_reason_bytes = 123;

void push_byte(std::string& out, std::uint64_t byte) {
  out.push_back(static_cast<char>(static_cast<std::uint8_t>(byte)));
}

} // namespace

void append_frame_head(std::string& out, frame_type type, std::uint64_t size) {
  push_byte(out, fin_bit | static_cast<std::uint8_t>(type));
  if (size < length_16) {
    push_byte(out, size);
  } else if (size <= 0xFFFF) {
    push_byte(out, length_16);
    push_byte(out, size >> 8U);
    push_byte(out, size);
  } else {
    push_byte(out, length_64);
    for (unsigned shift = 64; shift != 0; shift -= 8)
      push_byte(out, size >> (shift - 8));
  }
}

void append_frame(std::string& out, frame_type type, std::string_view payload) {
  append_frame_head(out, type, payload.size());
  out.append(payload);
}

std::size_t frame_size(std::size_t payload_bytes) noexcept {
  if (payload_bytes < length_16)
    return payload_bytes + 2;
  return payload_bytes + (payload_bytes <= 0xFFFF ? 4 : 10);
}

void append_close_frame(std::string& out, std::uint16_t code, std::string_view reason) {
  push_byte(out, fin_bit | close_opcode);
  if (code == no_close_code) {
    push_byte(out, 0);
    return;
  }
  const auto text = cut_utf8(reason, max_close_reason_bytes);
  push_byte(out, text.size() + 2);
  push_byte(out, code >> 8U);
  push_byte(out, code);
  out.append(text);
}

void append_pong_frame(std::string& out, std::string_view payload) {
  assert(payload.size() < length_16);
  push_byte(out, fin_bit | pong_opcode);
  push_byte(out, payload.size());
  out.append(payload);
}

} // namespace canang::net
