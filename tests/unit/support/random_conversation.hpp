#pragma once

#include "tests/unit/support/client_frames.hpp"
#include "tests/unit/support/seed.hpp"

#include <string>
#include <utility>

namespace canang::test {

/// What a client might send: messages in fragments, control frames between them and, in most
/// conversations, something at the end that may be wrong. All of it follows from the dice.
class random_conversation {
public:
  random_conversation(dice& random, bool has_compression)
    : random_(random), has_compression_(has_compression) {
    for (auto left = random_.roll(0, 6); left > 0; --left)
      add_message();
    add_end();
  }

  [[nodiscard]] const std::string& bytes() const { return bytes_; }

private:
  void add(client_frame frame) {
    for (auto& part : frame.key)
      part = random_.roll<unsigned char>(0, 255);
    bytes_ += bytes_of(frame);
  }

  std::size_t some_size() {
    switch (random_.roll(0, 9)) {
    case 0: return 0;
    case 1: return random_.roll<std::size_t>(124, 128);
    case 2: return random_.roll<std::size_t>(129, 400);
    default: return random_.roll<std::size_t>(1, 20);
    }
  }

  std::string some_text(std::size_t least_bytes) {
    static const std::string_view signs[] = {
      "a",      "\u00e9",       "\u20ac", "\U0001f514", "\x7f",       "\u0080",    "\u07ff",
      "\u0800", "\xed\x9f\xbf", "\ue000", "\uffff",     "\U00010000", "\U0010ffff"};
    std::string out;
    while (out.size() < least_bytes)
      out += signs[random_.one_in(2) ? 0 : random_.roll<std::size_t>(0, std::size(signs) - 1)];
    return out;
  }

  void add_controls() {
    while (random_.one_in(4))
      add({.opcode = random_.one_in(2) ? ping : pong,
           .payload = random_.bytes(random_.roll<std::size_t>(0, random_.one_in(5) ? 125 : 6))});
  }

  void add_message() {
    const bool is_compressed = has_compression_ && random_.one_in(3);
    const auto kind = random_.one_in(2) ? text : binary;
    const auto payload =
      kind == text && !is_compressed ? some_text(some_size()) : random_.bytes(some_size());
    add_fragments(kind, payload, is_compressed);
  }

  /// Cuts `payload` anywhere, also within characters.
  void add_fragments(unsigned kind, std::string payload, bool is_compressed) {
    add_controls();
    client_frame frame{.opcode = kind, .fin = false, .rsv = is_compressed ? 4U : 0U};
    while (random_.one_in(3)) {
      frame.payload = payload.substr(0, random_.roll<std::size_t>(0, payload.size()));
      payload.erase(0, frame.payload.size());
      add(frame);
      frame.opcode = continuation;
      frame.rsv = 0;
      add_controls();
    }
    frame.payload = std::move(payload);
    frame.fin = true;
    add(frame);
  }

  void add_end() {
    switch (random_.roll(0, 7)) {
    case 0: break;
    case 1: add_close(); break;
    case 2: bytes_.resize(random_.roll<std::size_t>(0, bytes_.size())); break;
    case 3: add_bad_text(); break;
    case 4: change_bytes(); break;
    default: add_odd_frame(); break;
    }
  }

  void add_close() {
    static const unsigned codes[] = {0, 999, 1000, 1003, 1005, 1007, 1014, 1016, 2999, 3000, 5000};
    const auto code = codes[random_.roll<std::size_t>(0, std::size(codes) - 1)];
    std::string payload;
    payload += static_cast<char>(code >> 8U);
    payload += static_cast<char>(code & 0xFFU);
    payload += random_.one_in(3) ? random_.bytes(random_.roll<std::size_t>(0, 9)) : some_text(5);
    payload.resize(random_.one_in(3) ? random_.roll<std::size_t>(0, 2) : payload.size());
    add({.opcode = close, .payload = payload});
    bytes_ += random_.bytes(random_.roll<std::size_t>(0, 3));
  }

  void add_bad_text() {
    auto payload = some_text(some_size());
    payload.insert(random_.roll<std::size_t>(0, payload.size()),
                   random_.bytes(random_.roll<std::size_t>(1, 3)));
    add_fragments(text, payload, false);
  }

  void change_bytes() {
    for (auto left = random_.roll(1, 3); left > 0 && !bytes_.empty(); --left)
      bytes_[random_.roll<std::size_t>(0, bytes_.size() - 1)] = random_.roll<char>(-128, 127);
  }

  /// A frame with any of its fields wrong, or several, or none, and something behind it.
  void add_odd_frame() {
    client_frame frame{.opcode = random_.roll(0U, 15U), .payload = random_.bytes(some_size())};
    frame.opcode = random_.one_in(3) ? frame.opcode : frame.opcode % 3;
    frame.fin = !random_.one_in(3);
    frame.rsv = random_.one_in(4) ? random_.roll(0U, 7U) : 0;
    frame.masked = !random_.one_in(4);
    if (random_.one_in(3))
      frame.form = random_.one_in(2) ? length_form::in_16_bits : length_form::in_64_bits;
    if (random_.one_in(4)) {
      frame.form = length_form::in_64_bits;
      frame.announced = static_cast<std::uint64_t>(random_.roll<std::int64_t>(0, INT64_MAX))
                          << random_.roll(0U, 1U)
                        >> random_.roll(0U, 63U);
    }
    add(frame);
    if (random_.one_in(2))
      add_message();
  }

  dice& random_;
  bool has_compression_;
  std::string bytes_;
};

} // namespace canang::test
