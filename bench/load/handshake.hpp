#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The opening handshake of a client (RFC 6455, section 4.1).
namespace canang::load::handshake {

/// A key for Sec-WebSocket-Key from 16 bytes of randomness.
std::string make_key(std::uint64_t random_high, std::uint64_t random_low);

/// Sec-WebSocket-Accept that the server must answer to this key.
std::string accept_of(std::string_view key);

std::string request(std::string_view host, std::string_view target, std::string_view key,
                    std::string_view subprotocol);

/// The value of a header in the head of an answer, empty when it is not there.
std::string_view header_value(std::string_view head, std::string_view name);

/// The longest answer that is read.
inline constexpr std::size_t max_answer_bytes = 16384;

struct answer {
  std::size_t size = 0; ///< bytes of the answer's head; frames may follow
  std::string error;    ///< empty when the upgrade was granted
};

/// Reads the server's answer; nothing while it is incomplete.
std::optional<answer> read_answer(std::string_view bytes, std::string_view key);

} // namespace canang::load::handshake
