#include "net/frame.hpp"

#include <algorithm>
#include <cassert>

namespace canang::net {

namespace {

constexpr std::uint8_t fin_bit = 0x80;
constexpr std::uint8_t mask_bit = 0x80;
constexpr std::uint8_t length_16 = 126;
constexpr std::uint8_t length_64 = 127;
constexpr std::uint8_t close_opcode = 0x8;
constexpr std::size_t max_close_reason_bytes = 123;

void push_byte(std::string& out, std::uint64_t byte) {
  out.push_back(static_cast<char>(static_cast<std::uint8_t>(byte)));
}

/// The longest prefix of `text` within `limit` bytes that does not cut a code point in two.
std::string_view cut_utf8(std::string_view text, std::size_t limit) {
  if (text.size() <= limit)
    return text;
  auto end = limit;
  while (end > 0 && (static_cast<std::uint8_t>(text[end]) & 0xC0U) == 0x80U)
    --end;
  return text.substr(0, end);
}

} // namespace

void append_frame(std::string& out, frame_type type, std::string_view payload) {
  push_byte(out, fin_bit | static_cast<std::uint8_t>(type));
  const std::uint64_t size = payload.size();
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
  out.append(payload);
}

std::size_t frame_size(std::size_t payload_bytes) noexcept {
  if (payload_bytes < length_16)
    return payload_bytes + 2;
  return payload_bytes + (payload_bytes <= 0xFFFF ? 4 : 10);
}

void append_close_frame(std::string& out, std::uint16_t code, std::string_view reason) {
  const auto text = cut_utf8(reason, max_close_reason_bytes);
  push_byte(out, fin_bit | close_opcode);
  push_byte(out, text.size() + 2);
  push_byte(out, code >> 8U);
  push_byte(out, code);
  out.append(text);
}

void frame_guard::finish_header() noexcept {
  if (header_read_ < header_size_)
    return;
  payload_left_ = length_;
  length_ = 0;
  header_read_ = 0;
  header_size_ = 2;
  length_bytes_end_ = 2;
}

bool frame_guard::feed(std::span<const std::uint8_t> bytes) noexcept {
  std::size_t at = 0;
  while (at < bytes.size() && !failed_) {
    if (payload_left_ > 0) {
      const auto skipped = std::min<std::uint64_t>(payload_left_, bytes.size() - at);
      payload_left_ -= skipped;
      at += static_cast<std::size_t>(skipped);
      continue;
    }
    const std::uint8_t byte = bytes[at++];
    const std::uint8_t position = header_read_++;
    if (position == 1) {
      const auto low = static_cast<std::uint8_t>(byte & 0x7FU);
      const int extra = low == length_64 ? 8 : low == length_16 ? 2 : 0;
      const int key = (byte & mask_bit) != 0 ? 4 : 0;
      header_size_ = static_cast<std::uint8_t>(2 + extra + key);
      length_ = extra == 0 ? low : 0;
      length_bytes_end_ = static_cast<std::uint8_t>(2 + extra);
    } else if (position >= 2 && position < length_bytes_end_) {
      if (position == 2 && length_bytes_end_ == 10 && (byte & 0x80U) != 0) {
        failed_ = true;
        break;
      }
      length_ = (length_ << 8U) | byte;
    }
    finish_header();
  }
  return !failed_;
}

bool ends_with_a_whole_character(std::span<const char> text) noexcept {
  std::size_t length = 0; // of the last character, as far as it has come
  while (length < text.size()) {
    const auto byte = static_cast<unsigned char>(text[text.size() - ++length]);
    if ((byte & 0xC0U) == 0x80U)
      continue; // not its first byte
    const std::size_t whole = byte < 0xC0U ? 1 : byte < 0xE0U ? 2 : byte < 0xF0U ? 3 : 4;
    return length == whole;
  }
  return text.empty();
}

} // namespace canang::net
