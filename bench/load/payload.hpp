#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// The message that canang-load publishes and recognises again.
///
///   offset  chars  field       bits
///   0       4      run         24     drawn at random a run: tells our messages from others'
///   4       4      room        24     number of the room
///   8       3      publisher   18     number of the publisher within the room
///   11      5      sequence    30     from 0, one up a message of this publisher
///   16      8      time_ns     48     intended send time, since the start of the run
///   24      ...    filler             known text whose start depends on the sequence
///
/// Digits are base64url, most significant first: ASCII that passes unescaped through text frames,
/// JSON strings and URLs.
namespace canang::load::payload {

inline constexpr std::size_t header_size = 24;
inline constexpr std::uint32_t room_limit = 1U << 24;
inline constexpr std::uint32_t publisher_limit = 1U << 18;
inline constexpr std::uint32_t sequence_limit = 1U << 30;

struct header {
  std::uint32_t run = 0;
  std::uint32_t room = 0;
  std::uint32_t publisher = 0;
  std::uint32_t sequence = 0;
  std::uint64_t time_ns = 0;
};

namespace detail {

inline constexpr std::string_view digits =
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

consteval std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  for (std::size_t i = 0; i < digits.size(); ++i)
    values[static_cast<std::uint8_t>(digits[i])] = static_cast<std::uint8_t>(i);
  return values;
}
inline constexpr auto values = make_values();

template <unsigned Chars>
std::uint64_t decode_number(const char* p) noexcept {
  std::uint64_t n = 0;
  for (unsigned i = 0; i < Chars; ++i)
    n = n << 6 | values[static_cast<std::uint8_t>(p[i])];
  return n;
}

} // namespace detail

/// Run and room as they stand in the first eight bytes of a message.
std::uint64_t prefix(std::uint32_t run, std::uint32_t room) noexcept;

inline std::uint64_t prefix_of(const char* message) noexcept {
  std::uint64_t eight;
  std::memcpy(&eight, message, sizeof eight);
  return eight;
}

inline std::uint32_t publisher_of(const char* message) noexcept {
  return static_cast<std::uint32_t>(detail::decode_number<3>(message + 8));
}
inline std::uint32_t sequence_of(const char* message) noexcept {
  return static_cast<std::uint32_t>(detail::decode_number<5>(message + 11));
}
inline std::uint64_t time_ns_of(const char* message) noexcept {
  return detail::decode_number<8>(message + 16);
}

/// The first `size` bytes of the filler of a message with this sequence. `size` is at most
/// `filler_limit`; the view lives as long as the program.
inline constexpr std::size_t filler_limit = std::size_t{16} << 20;
/// Makes room for fillers of this many bytes; once, before threads start.
void reserve_filler(std::size_t size);
const char* filler_text(std::uint32_t sequence) noexcept;

/// Writes a message of `size` bytes (header_size or more) over `out`.
void encode(const header& h, std::size_t size, std::string& out);

/// Reads a header whatever it says; false when the message is shorter or not of our digits.
bool decode(std::string_view message, header& h) noexcept;

} // namespace canang::load::payload
