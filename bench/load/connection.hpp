#pragma once

#include "bench/load/checker.hpp"
#include "bench/load/frame_reader.hpp"
#include "bench/load/socket.hpp"

#include <cstdint>
#include <string>

namespace canang::load {

enum class connection_state : std::uint8_t {
  planned,
  connecting,  ///< TCP
  handshaking, ///< the request is sent
  joining,     ///< the dialect has not confirmed the membership
  open,
  closing, ///< our close frame is sent
  closed,
};

enum class send_status : std::uint8_t { sent, queued, broken };

/// A client connection and what it has received. Owned by a worker, lives on its thread.
struct connection {
  /// Bytes that may wait for the socket before publishing to it pauses.
  static constexpr std::size_t pause_at_bytes = std::size_t{1} << 20;

  connection(const member_checker& check, std::uint32_t member_index)
    : checker(check), member(member_index) {}

  bool is_alive() const noexcept {
    return state != connection_state::planned && state != connection_state::closed;
  }
  bool is_congested() const noexcept { return out.size() - out_at > pause_at_bytes; }

  /// Writes what waits in `out`.
  send_status flush() noexcept;

  descriptor fd;
  connection_state state = connection_state::planned;
  bool waits_for_write = false;
  bool was_closed = false; ///< by the server, before the run ended
  frame_reader reader;
  member_checker checker;
  std::uint32_t member;         ///< index into plan::members
  std::int32_t publishing = -1; ///< index into the worker's publishers
  std::int32_t witnessing = -1; ///< the same, of its room's first one, whose windows it opens
  std::string out;              ///< waits for the socket, from out_at on
  std::size_t out_at = 0;
  std::uint64_t started_ns = 0;
  std::string key; ///< Sec-WebSocket-Key, during the handshake
};

} // namespace canang::load
