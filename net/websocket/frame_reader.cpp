#include "net/websocket/frame_reader.hpp"

#include "net/frame.hpp"
#include "net/limits.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <limits>

namespace canang::net {

namespace {

constexpr std::size_t key_bytes = 4;
constexpr std::uint8_t max_control_bytes = 125;

/// Opcodes (RFC 6455, 5.2).
enum opcode : std::uint8_t {
  continuation = 0x0,
  text = 0x1,
  binary = 0x2,
  close = 0x8,
  ping = 0x9,
  pong = 0xA,
};

std::uint8_t byte_at(std::span<const char> bytes, std::size_t at) noexcept {
  return static_cast<std::uint8_t>(bytes[at]);
}

frame_reader::item make_fault(frame_reader::fault wrong) noexcept {
  return {.what = frame_reader::kind::fault, .wrong = wrong};
}

/// Unmasks `bytes` where they are, eight at a time, and turns `key` for what follows (RFC 6455, 5.3).
void unmask(std::span<char> bytes, std::uint32_t& key) noexcept {
  static_assert(std::endian::native == std::endian::little);
  const auto wide = std::uint64_t{key} << 32U | key;
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, 8);
    word ^= wide;
    std::memcpy(bytes.data() + at, &word, 8);
  }
  for (unsigned shift = 0; at < bytes.size(); ++at, shift += 8)
    bytes[at] = static_cast<char>(byte_at(bytes, at) ^ static_cast<std::uint8_t>(wide >> shift));
  key = std::rotr(key, static_cast<int>(bytes.size() % key_bytes * 8));
}

} // namespace

/// A frame's header, as far as it has come.
struct frame_reader::header {
  explicit header(std::span<const char> input) noexcept
    : first(byte_at(input, 0)), second(byte_at(input, 1)) {}

  [[nodiscard]] std::uint8_t opcode() const noexcept { return first & 0x0FU; }
  [[nodiscard]] bool is_final() const noexcept { return (first & 0x80U) != 0; }
  [[nodiscard]] bool rsv1() const noexcept { return (first & 0x40U) != 0; }
  [[nodiscard]] bool rsv2_or_3() const noexcept { return (first & 0x30U) != 0; }
  [[nodiscard]] bool is_masked() const noexcept { return (second & 0x80U) != 0; }
  [[nodiscard]] bool is_control() const noexcept { return opcode() >= 8; }
  [[nodiscard]] std::uint8_t short_length() const noexcept { return second & 0x7FU; }

  /// Bytes of the extended length.
  [[nodiscard]] std::size_t length_bytes() const noexcept {
    return short_length() == 127 ? 8 : short_length() == 126 ? 2 : 0;
  }
  [[nodiscard]] std::size_t size() const noexcept { return 2 + length_bytes() + key_bytes; }

  /// Reads the length. `input` holds it.
  /// @returns whether it has the shortest form (RFC 6455, 5.2).
  bool read_length(std::span<const char> input) noexcept {
    const auto extra = length_bytes();
    length = extra == 0 ? short_length() : 0U;
    for (std::size_t i = 0; i < extra; ++i)
      length = length << 8U | byte_at(input, 2 + i);
    return extra == 0
           || (extra == 2 ? length > max_control_bytes : length > 0xFFFFU && length >> 63U == 0);
  }

  std::uint8_t first;
  std::uint8_t second;
  std::uint64_t length = 0;
  std::uint32_t key = 0;
};

frame_reader::item frame_reader::next(std::span<char>& input,
                                      std::size_t max_message_bytes) noexcept {
  assert(!is_over_);
  const auto found = in_payload_ ? read_payload(input) : read_header(input, max_message_bytes);
  is_over_ = found.what == kind::fault || found.what == kind::close;
  return found;
}

/// What two bytes are enough to refuse.
frame_reader::fault frame_reader::check_first_bytes(const header& head) const noexcept {
  const auto opcode = head.opcode();
  if (head.rsv2_or_3())
    return fault::reserved_bits;
  if (head.rsv1() && (!allows_compression_ || (opcode != text && opcode != binary)))
    return fault::reserved_bits;
  if (opcode > pong || (opcode > binary && opcode < close))
    return fault::opcode;
  if (!head.is_masked())
    return fault::not_masked;
  if (head.is_control()) {
    if (!head.is_final())
      return fault::control_fragmented;
    return head.short_length() > max_control_bytes ? fault::control_too_long : fault::none;
  }
  if (opcode == continuation)
    return in_message_ ? fault::none : fault::nothing_to_continue;
  return in_message_ ? fault::message_not_continued : fault::none;
}

frame_reader::item frame_reader::read_header(std::span<char>& input,
                                             std::size_t max_message_bytes) noexcept {
  if (input.size() < 2)
    return {};
  header head{input};
  if (const auto wrong = check_first_bytes(head); wrong != fault::none)
    return make_fault(wrong);
  if (input.size() < 2 + head.length_bytes())
    return {};
  if (!head.read_length(input))
    return make_fault(fault::length_form);
  if (!head.is_control()) {
    // what is counted in 32 bits must fit there, whatever the limit
    const bool goes_on = head.opcode() == continuation;
    const bool is_compressed = goes_on ? is_compressed_ : head.rsv1();
    const auto limit = std::min<std::uint64_t>(
      is_compressed ? max_compressed_bytes(std::min(max_message_bytes, max_inflated_bytes))
                    : max_message_bytes,
      std::numeric_limits<std::uint32_t>::max());
    const std::uint64_t before = goes_on ? size_ : 0U;
    if (head.length > limit || before > limit - head.length)
      return make_fault(fault::too_big);
  }
  if (input.size() < head.size())
    return {};
  std::memcpy(&head.key, input.data() + head.size() - key_bytes, key_bytes);
  if (head.is_control())
    return read_control(input, head);
  input = input.subspan(head.size());
  begin_frame(head);
  return read_payload(input);
}

void frame_reader::begin_frame(const header& head) noexcept {
  if (head.opcode() != continuation) {
    is_text_ = head.opcode() == text;
    is_compressed_ = head.rsv1();
    size_ = 0;
    utf8_ = {};
  }
  left_ = static_cast<std::uint32_t>(head.length);
  size_ += left_;
  key_ = head.key;
  is_final_ = head.is_final();
  in_payload_ = true;
  in_message_ = !is_final_;
}

frame_reader::item frame_reader::read_payload(std::span<char>& input) noexcept {
  if (input.empty() && left_ > 0)
    return {};
  const auto part = input.first(std::min<std::size_t>(left_, input.size()));
  input = input.subspan(part.size());
  left_ -= static_cast<std::uint32_t>(part.size());
  in_payload_ = left_ > 0;
  unmask(part, key_);
  const bool ends = is_final_ && !in_payload_;
  if (is_text_ && !is_compressed_ && (!utf8_.feed(part) || (ends && !utf8_.is_whole())))
    return make_fault(fault::not_utf8);
  return {.what = kind::data, .ends_message = ends, .payload = part};
}

/// Control frames are handed on whole (RFC 6455, 5.5).
frame_reader::item frame_reader::read_control(std::span<char>& input, const header& head) noexcept {
  if (input.size() < head.size() + head.length)
    return {};
  auto body = input.subspan(head.size(), head.length);
  input = input.subspan(head.size() + head.length);
  auto key = head.key;
  unmask(body, key);
  if (head.opcode() != close)
    return {.what = head.opcode() == ping ? kind::ping : kind::pong, .payload = body};
  if (body.empty())
    return {.what = kind::close, .close_code = no_close_code};
  if (body.size() == 1)
    return make_fault(fault::close_size);
  const auto code = static_cast<std::uint16_t>(byte_at(body, 0) << 8U | byte_at(body, 1));
  if (!is_close_code(code))
    return make_fault(fault::close_code);
  body = body.subspan(2);
  if (!is_utf8(body))
    return make_fault(fault::close_reason_not_utf8);
  return {.what = kind::close, .close_code = code, .payload = body};
}

std::uint16_t close_code_of(frame_reader::fault wrong) noexcept {
  using fault = frame_reader::fault;
  switch (wrong) {
  case fault::too_big: return 1009;
  case fault::not_utf8:
  case fault::not_deflate:
  case fault::close_reason_not_utf8: return 1007;
  case fault::none:
  case fault::reserved_bits:
  case fault::opcode:
  case fault::not_masked:
  case fault::length_form:
  case fault::control_too_long:
  case fault::control_fragmented:
  case fault::nothing_to_continue:
  case fault::message_not_continued:
  case fault::close_size:
  case fault::close_code: break;
  }
  return 1002;
}

const char* text_of(frame_reader::fault wrong) noexcept {
  using fault = frame_reader::fault;
  switch (wrong) {
  case fault::none: break;
  case fault::reserved_bits: return "reserved bits set";
  case fault::opcode: return "unknown opcode";
  case fault::not_masked: return "frame is not masked";
  case fault::length_form: return "bad frame length";
  case fault::control_too_long: return "control frame is too long";
  case fault::control_fragmented: return "control frame is fragmented";
  case fault::nothing_to_continue: return "nothing to continue";
  case fault::message_not_continued: return "message is not continued";
  case fault::too_big: return "message is too big";
  case fault::not_utf8: return "not UTF-8";
  case fault::not_deflate: return "not DEFLATE data";
  case fault::close_size: return "bad close frame";
  case fault::close_code: return "bad close code";
  case fault::close_reason_not_utf8: return "close reason is not UTF-8";
  }
  return "";
}

} // namespace canang::net
