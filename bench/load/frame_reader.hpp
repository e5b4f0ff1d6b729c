#pragma once

#include "bench/load/frame.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace canang::load {

/// Cuts the bytes of one connection into messages and control frames.
///
/// The worker owns one large buffer for all its connections. Before each recv the reader puts the
/// part of a frame that it kept back at the front (restore), after it the whole is parsed in place
/// (feed). A connection without an unfinished frame holds no memory. Owned by a connection, one
/// thread.
class frame_reader {
public:
  /// A server that sends more than this in a message is taken for broken.
  static constexpr std::size_t max_message_bytes = std::size_t{16} << 20;

  enum class status : std::uint8_t { open, malformed, stopped };

  /// Bytes kept back from the last feed.
  std::size_t kept() const noexcept { return kept_.size(); }
  /// Bytes that the buffer needs for the unfinished frame; 0 when unknown.
  std::size_t wanted() const noexcept { return wanted_; }

  /// Copies the kept bytes to the front of the buffer; gives their number.
  std::size_t restore(char* buffer) const noexcept {
    if (!kept_.empty())
      std::memcpy(buffer, kept_.data(), kept_.size());
    return kept_.size();
  }

  /// Keeps bytes for the next feed that came before the first frame (with the handshake's answer).
  void keep(std::string_view bytes) { kept_.assign(bytes); }

  /// Parses `bytes` (what restore() gave, then what was received). Calls
  ///   sink.on_message(opcode, view)   a whole message, fragments joined
  ///   sink.on_control(opcode, view)   ping, pong, close
  /// which return false to stop reading for good. Views end with the call.
  template <class Sink>
  status feed(std::string_view bytes, Sink& sink) {
    const auto* p = reinterpret_cast<const std::uint8_t*>(bytes.data());
    const auto* const end = p + bytes.size();
    frame_header h;
    wanted_ = 0;
    while (p != end) {
      const auto left = static_cast<std::size_t>(end - p);
      const auto parsed = parse_header(p, left, h);
      if (parsed == parse_result::malformed)
        return status::malformed;
      if (parsed == parse_result::incomplete)
        break;
      if (h.payload_size > max_message_bytes)
        return status::malformed;
      const std::size_t frame_size = h.header_size + static_cast<std::size_t>(h.payload_size);
      if (frame_size > left) {
        wanted_ = frame_size;
        break;
      }
      const std::string_view payload{reinterpret_cast<const char*>(p + h.header_size),
                                     static_cast<std::size_t>(h.payload_size)};
      p += frame_size;
      if (h.fin && in_fragments_ == opcode::continuation
          && (h.op == opcode::text || h.op == opcode::binary)) [[likely]] {
        if (!sink.on_message(h.op, payload))
          return status::stopped;
      } else {
        const auto result = take_other(h, payload, sink);
        if (result != status::open)
          return result;
      }
    }
    kept_.assign(reinterpret_cast<const char*>(p), static_cast<std::size_t>(end - p));
    if (kept_.empty() && kept_.capacity() > large_kept)
      std::string{}.swap(kept_);
    return status::open;
  }

private:
  static constexpr std::size_t large_kept = 4096;

  /// Control frames and fragments (RFC 6455, section 5.4).
  template <class Sink>
  status take_other(const frame_header& h, std::string_view payload, Sink& sink) {
    if (h.op == opcode::close || h.op == opcode::ping || h.op == opcode::pong)
      return sink.on_control(h.op, payload) ? status::open : status::stopped;
    const bool continues = h.op == opcode::continuation;
    const bool expected = in_fragments_ != opcode::continuation;
    if (continues != expected)
      return status::malformed;
    if (!continues)
      in_fragments_ = h.op;
    if (fragments_.size() + payload.size() > max_message_bytes)
      return status::malformed;
    fragments_.append(payload);
    if (!h.fin)
      return status::open;
    const bool more = sink.on_message(in_fragments_, fragments_);
    in_fragments_ = opcode::continuation;
    std::string{}.swap(fragments_);
    return more ? status::open : status::stopped;
  }

  std::string kept_;
  std::string fragments_;
  std::size_t wanted_ = 0;
  opcode in_fragments_ = opcode::continuation; // of the first fragment; continuation: none open
};

} // namespace canang::load
