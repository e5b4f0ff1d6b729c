#include "bench/load/frame.hpp"

#include <array>

namespace canang::load {

namespace {

bool is_control(opcode op) noexcept { return (static_cast<std::uint8_t>(op) & 0x8U) != 0; }

bool is_known(std::uint8_t op) noexcept { return op <= 0x2 || (op >= 0x8 && op <= 0xA); }

std::uint64_t read_big_endian(const std::uint8_t* p, std::size_t bytes) noexcept {
  std::uint64_t n = 0;
  for (std::size_t i = 0; i < bytes; ++i)
    n = n << 8 | p[i];
  return n;
}

} // namespace

parse_result detail::parse_long_header(const std::uint8_t* p, std::size_t size,
                                       frame_header& h) noexcept {
  if (size < 2)
    return parse_result::incomplete;
  const bool reserved_bits = (p[0] & 0x70U) != 0;
  const bool masked = (p[1] & 0x80U) != 0;
  const std::uint8_t op = p[0] & 0x0FU;
  if (reserved_bits || masked || !is_known(op))
    return parse_result::malformed;
  h.fin = (p[0] & 0x80U) != 0;
  h.op = static_cast<opcode>(op);
  const std::uint8_t length = p[1] & 0x7FU;
  if (is_control(h.op) && (!h.fin || length > 125))
    return parse_result::malformed;
  if (length < 126) {
    h.header_size = 2;
    h.payload_size = length;
    return parse_result::complete;
  }
  const std::size_t length_bytes = length == 126 ? 2 : 8;
  if (size < 2 + length_bytes)
    return parse_result::incomplete;
  h.header_size = 2 + length_bytes;
  h.payload_size = read_big_endian(p + 2, length_bytes);
  if ((h.payload_size >> 63) != 0)
    return parse_result::malformed;
  return parse_result::complete;
}

void append_frame(std::string& out, opcode op, std::string_view payload, std::uint32_t mask) {
  out.push_back(static_cast<char>(0x80U | static_cast<std::uint8_t>(op)));
  const auto append_big_endian = [&out](std::uint64_t n, unsigned bytes) {
    for (unsigned i = bytes; i-- > 0;)
      out.push_back(static_cast<char>(n >> (8 * i) & 0xFFU));
  };
  if (payload.size() < 126) {
    out.push_back(static_cast<char>(0x80U | payload.size()));
  } else if (payload.size() <= 0xFFFF) {
    out.push_back(static_cast<char>(0x80U | 126U));
    append_big_endian(payload.size(), 2);
  } else {
    out.push_back(static_cast<char>(0x80U | 127U));
    append_big_endian(payload.size(), 8);
  }
  append_big_endian(mask, 4);
  const std::array<std::uint8_t, 4> key{
    static_cast<std::uint8_t>(mask >> 24), static_cast<std::uint8_t>(mask >> 16 & 0xFFU),
    static_cast<std::uint8_t>(mask >> 8 & 0xFFU), static_cast<std::uint8_t>(mask & 0xFFU)};
  const auto start = out.size();
  out.append(payload);
  for (std::size_t i = 0; i < payload.size(); ++i)
    out[start + i] = static_cast<char>(static_cast<std::uint8_t>(out[start + i]) ^ key[i & 3U]);
}

void append_close(std::string& out, std::uint16_t code, std::uint32_t mask) {
  const char payload[2] = {static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  append_frame(out, opcode::close, {payload, 2}, mask);
}

std::uint16_t close_code(std::string_view payload) noexcept {
  if (payload.size() < 2)
    return 1005;
  const auto* p = reinterpret_cast<const std::uint8_t*>(payload.data());
  return static_cast<std::uint16_t>(p[0] << 8 | p[1]);
}

} // namespace canang::load
