#pragma once

#include "net/frame.hpp"

#include <gtest/gtest.h>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::test {

/// What a client makes of a message by RFC 7692, 7.2.1: the plain way, with zlib alone.
inline std::string deflated(std::string_view text, int window_bits = 15, int level = 9) {
  z_stream state{};
  if (::deflateInit2(&state, level, Z_DEFLATED, -window_bits, 9, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error{"deflateInit2"};
  std::string in{text};
  std::string out(::deflateBound(&state, in.size()) + 64, '\0');
  state.next_in = reinterpret_cast<Bytef*>(in.data());
  state.avail_in = static_cast<uInt>(in.size());
  state.next_out = reinterpret_cast<Bytef*>(out.data());
  state.avail_out = static_cast<uInt>(out.size());
  ::deflate(&state, Z_SYNC_FLUSH);
  out.resize(out.size() - state.avail_out);
  ::deflateEnd(&state);
  if (!out.ends_with(std::string_view{"\0\0\xff\xff", 4}))
    throw std::runtime_error{"no tail"};
  out.resize(out.size() - 4);
  return out;
}

/// What it says, by 7.2.2; nothing where it is no such message, or needs a larger window. It is made in small
/// pieces: zlib looks no further back than its window only in what earlier calls made.
inline std::optional<std::string> inflated(std::string_view packed, int window_bits = 15) {
  z_stream state{};
  if (::inflateInit2(&state, -window_bits) != Z_OK)
    throw std::runtime_error{"inflateInit2"};
  auto in = std::string{packed}.append(std::string_view{"\0\0\xff\xff", 4});
  std::string out;
  std::array<char, 64> piece{};
  state.next_in = reinterpret_cast<Bytef*>(in.data());
  state.avail_in = static_cast<uInt>(in.size());
  int result = Z_OK;
  do {
    state.next_out = reinterpret_cast<Bytef*>(piece.data());
    state.avail_out = piece.size();
    result = ::inflate(&state, Z_SYNC_FLUSH);
    out.append(piece.data(), piece.size() - state.avail_out);
  } while (result == Z_OK && state.avail_out == 0);
  ::inflateEnd(&state);
  const bool is_whole =
    result == Z_OK || result == Z_BUF_ERROR; // the last piece may have been full
  if (!is_whole || state.avail_in != 0)
    return std::nullopt;
  return out;
}

/// A frame of a server, taken apart.
struct server_frame {
  unsigned first_byte;
  std::string payload;

  friend bool operator==(const server_frame&, const server_frame&) = default;
};

/// The frames of what a server wrote, which are whole.
inline std::vector<server_frame> server_frames(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes.at(i)); };
  std::vector<server_frame> all;
  while (!bytes.empty()) {
    std::size_t head = 2;
    std::size_t size = byte(1);
    if (size >= 126) {
      head += size == 126 ? 2 : 8;
      size = 0;
      for (std::size_t i = 2; i < head; ++i)
        size = size * 256 + byte(i);
    }
    all.push_back({byte(0), std::string{bytes.substr(head, size)}});
    EXPECT_EQ(all.back().payload.size(), size) << "frames are whole";
    bytes.remove_prefix(std::min(bytes.size(), head + size));
  }
  return all;
}

/// The messages of such frames, inflated where they are compressed; `!` where one is not right.
inline std::vector<std::string> server_messages(std::string_view bytes, int window_bits = 15) {
  std::vector<std::string> all;
  for (const auto& [first_byte, payload] : server_frames(bytes))
    all.push_back((first_byte & 0x40U) == 0 ? payload
                                            : inflated(payload, window_bits).value_or("!"));
  return all;
}

/// Text that shrinks, and whose likes are further apart than 512 bytes too.
inline std::string some_json(std::size_t bytes) {
  std::string text = "{\"items\":[";
  for (unsigned i = 0; text.size() + 40 < bytes; ++i)
    text += "{\"id\":" + std::to_string(i * 7919 % 10'007) + ",\"state\":\"open\"},";
  text.append(bytes - text.size() - 2, ' ');
  return text += "]}";
}

/// Bytes that do not shrink.
inline std::string noise(std::size_t bytes) {
  std::string out;
  for (unsigned state = 1; out.size() < bytes; out += static_cast<char>(state >> 24U))
    state = state * 1'664'525U + 1'013'904'223U;
  return out;
}

} // namespace canang::test
