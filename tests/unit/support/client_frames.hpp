#pragma once

#include "net/websocket/frame_reader.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace canang::test {

enum opcode : unsigned { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// How a frame's length is written (RFC 6455, 5.2).
enum class length_form : std::uint8_t { shortest, in_16_bits, in_64_bits };

/// A frame as a client sends it, or as it should not.
struct client_frame {
  unsigned opcode = text;
  std::string payload{};
  bool fin = true;
  unsigned rsv = 0; ///< 4 is RSV1, 2 is RSV2, 1 is RSV3
  bool masked = true;
  std::array<unsigned char, 4> key{0x37, 0xfa, 0x21, 0x3d};
  length_form form = length_form::shortest;
  std::optional<std::uint64_t>
    announced{}; ///< the length in the header, if another than the payload's
};

/// The header up to its masking key and with it.
inline std::string header_of(const client_frame& frame) {
  const std::uint64_t size = frame.announced.value_or(frame.payload.size());
  auto form = frame.form;
  if (form == length_form::shortest && size > 125)
    form = size > 0xFFFF ? length_form::in_64_bits : length_form::in_16_bits;
  const unsigned length_bytes = form == length_form::shortest     ? 0
                                : form == length_form::in_16_bits ? 2
                                                                  : 8;
  const auto first_length = form == length_form::shortest     ? static_cast<unsigned>(size)
                            : form == length_form::in_16_bits ? 126U
                                                              : 127U;
  std::string out;
  out += static_cast<char>((frame.fin ? 0x80U : 0U) | (frame.rsv << 4U) | frame.opcode);
  out += static_cast<char>((frame.masked ? 0x80U : 0U) | first_length);
  for (unsigned i = length_bytes; i-- > 0;)
    out += static_cast<char>(size >> (8 * i) & 0xFFU);
  if (frame.masked)
    out.append(frame.key.begin(), frame.key.end());
  return out;
}

inline std::string bytes_of(const client_frame& frame) {
  auto out = header_of(frame);
  for (std::size_t i = 0; i < frame.payload.size(); ++i)
    out += static_cast<char>(static_cast<unsigned char>(frame.payload[i])
                             ^ (frame.masked ? frame.key[i % 4] : 0U));
  return out;
}

/// A whole message of text, or a frame of another opcode.
inline std::string frame_of(std::string payload, unsigned opcode = text) {
  return bytes_of({.opcode = opcode, .payload = std::move(payload)});
}

/// A frame that does not end its message.
inline std::string fragment_of(std::string payload, unsigned opcode = continuation) {
  return bytes_of({.opcode = opcode, .payload = std::move(payload), .fin = false});
}

inline std::string close_frame_of(unsigned code, std::string_view reason = {}) {
  std::string payload{static_cast<char>(code >> 8U & 0xFFU), static_cast<char>(code & 0xFFU)};
  return frame_of(payload.append(reason), close);
}

/// What a conversation said, one line each: `text hello`, `ping`, `close 1000 bye`, `fault 1002`;
/// at last, where nothing was wrong, what has come of a message that has not ended: `unfinished
/// text hel`.
using transcript = std::vector<std::string>;

inline std::string described(bool is_text, bool is_compressed, std::string_view payload) {
  std::string out = is_compressed ? "compressed " : "";
  return out.append(is_text ? "text " : "binary ").append(payload);
}

/// Gives a reader bytes as a session does, and joins the parts of messages again.
class frame_listener {
public:
  static constexpr std::size_t default_limit = 1 << 20;

  explicit frame_listener(std::size_t limit = default_limit, bool allows_compression = false)
    : limit_(limit) {
    if (allows_compression)
      reader_.allow_compression();
  }

  /// The next bytes that came. They lie in memory of their own size, so that a sanitizer sees a
  /// step too far.
  frame_listener& feed(std::string_view piece) {
    const auto before = unread_.append(piece);
    const auto bytes = std::make_unique<char[]>(before.size());
    before.copy(bytes.get(), before.size());
    std::span<char> input{bytes.get(), before.size()};
    while (!has_ended() && take(reader_.next(input, limit_), {bytes.get(), before.size()})) {
    }
    unread_ = {input.begin(), input.end()};
    if (!has_ended()) {
      EXPECT_LE(unread_.size(), net::frame_reader::max_unread_bytes);
      EXPECT_TRUE(before.ends_with(unread_)) << "what is given again must be as it came";
      EXPECT_TRUE(unread_.empty() || reader_.awaited() == 0) << "a payload does not wait";
    }
    return *this;
  }

  /// A fault or a close frame came.
  [[nodiscard]] bool has_ended() const { return has_ended_; }

  /// The fault, if there was one.
  [[nodiscard]] net::frame_reader::fault wrong() const { return wrong_; }

  [[nodiscard]] const net::frame_reader& reader() const { return reader_; }

  [[nodiscard]] transcript said() const {
    auto all = lines_;
    if (!has_ended_ && !part_.empty())
      all.push_back("unfinished " + described(reader_.is_text(), reader_.is_compressed(), part_));
    return all;
  }

private:
  /// @returns whether there may be more.
  bool take(const net::frame_reader::item& item, std::string_view all) {
    const std::string_view payload{item.payload.data(), item.payload.size()};
    using kind = net::frame_reader::kind;
    EXPECT_TRUE(payload.empty()
                || (payload.data() >= all.data()
                    && payload.data() + payload.size() <= all.data() + all.size()))
      << "payloads stay where they lie";
    EXPECT_EQ(item.wrong != net::frame_reader::fault::none, item.what == kind::fault);
    switch (item.what) {
    case kind::need_more: return false;
    case kind::data:
      part_.append(payload);
      if (item.ends_message)
        lines_.push_back(
          described(reader_.is_text(), reader_.is_compressed(), std::exchange(part_, {})));
      return true;
    case kind::ping: lines_.push_back("ping " + std::string{payload}); return true;
    case kind::pong: lines_.push_back("pong " + std::string{payload}); return true;
    case kind::close:
      lines_.push_back("close " + std::to_string(item.close_code) + ' ' + std::string{payload});
      break;
    case kind::fault:
      lines_.push_back("fault " + std::to_string(net::close_code_of(item.wrong)));
      wrong_ = item.wrong;
      break;
    }
    has_ended_ = true;
    return false;
  }

  net::frame_reader reader_;
  std::size_t limit_;
  std::string unread_;
  std::string part_;
  transcript lines_;
  net::frame_reader::fault wrong_ = net::frame_reader::fault::none;
  bool has_ended_ = false;
};

/// What `stream` says when it comes in one piece.
inline transcript said_by(std::string_view stream,
                          std::size_t limit = frame_listener::default_limit,
                          bool allows_compression = false) {
  return frame_listener{limit, allows_compression}.feed(stream).said();
}

/// What is wrong with `stream`.
inline net::frame_reader::fault fault_of(std::string_view stream,
                                         std::size_t limit = frame_listener::default_limit,
                                         bool allows_compression = false) {
  return frame_listener{limit, allows_compression}.feed(stream).wrong();
}

} // namespace canang::test
