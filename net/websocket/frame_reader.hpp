#pragma once

#include "net/utf8.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace canang::net {

/// Takes a client's bytes apart into what RFC 6455 makes of them, and refuses what a client may not send
/// (sections 5.1 to 5.5, 7.4 and 8.1). Sixteen bytes of state; no allocation, no copy, no I/O.
///
/// The bytes may be cut anywhere: whatever the pieces, the items say the same. What is not whole yet, a
/// header or a control frame (`max_unread_bytes` at most), stays at the front of the caller's bytes, to be
/// given again with what follows. Payloads are unmasked where they lie and handed on as they come, so a
/// message that lies in one piece is handed on in one.
///
/// After a fault or a close frame nothing more may be asked. Owned by a session, used on its loop only.
class frame_reader {
public:
  enum class kind : std::uint8_t {
    need_more, ///< nothing whole is left
    data,      ///< a part of a message, or all of it
    ping,
    pong,
    close, ///< its code and reason are valid
    fault, ///< the client broke the protocol
  };

  /// What is wrong with a client's bytes; `close_code_of` and `text_of` say how it is told.
  enum class fault : std::uint8_t {
    none,
    reserved_bits,         ///< 5.2: RSV1 to RSV3 without an extension that gives them a meaning
    opcode,                ///< 5.2: 3 to 7, 11 to 15
    not_masked,            ///< 5.1
    length_form,           ///< 5.2: not the shortest form, or the highest bit of 64 set
    control_too_long,      ///< 5.5: over 125 bytes
    control_fragmented,    ///< 5.5
    nothing_to_continue,   ///< 5.4: a continuation without a message before it
    message_not_continued, ///< 5.4: a new message inside one that has not ended
    too_big,               ///< over the limit of a message (7.4.1)
    not_utf8,              ///< 8.1
    not_deflate,           ///< RFC 7692, 7.2.2: found by who inflates
    close_size,            ///< 5.5.1: a close frame of one byte
    close_code,            ///< 7.4: a code that no client may send
    close_reason_not_utf8, ///< 8.1
  };

  struct item {
    kind what = kind::need_more;
    bool ends_message = false;    ///< data: nothing of the message follows
    fault wrong = fault::none;    ///< fault
    std::uint16_t close_code = 0; ///< close: 1005 where none was given
    std::span<char> payload{};    ///< data, ping, pong; close: the reason
  };

  /// Bytes that the caller may have to hold: a control frame all but its last byte.
  static constexpr std::size_t max_unread_bytes = 2 + 4 + 125 - 1;

  /// What a message of `bytes` may take compressed where that makes it longer: a sixteenth more for the heads of
  /// blocks that are stored as they are (RFC 1951, 3.2.4), however short.
  [[nodiscard]] static constexpr std::size_t max_compressed_bytes(std::size_t bytes) noexcept {
    return bytes + bytes / 16 + 64;
  }

  /// The next item at the front of `input`, which begins behind it afterwards. `max_message_bytes` is the
  /// limit over all fragments of a message, 4 GiB - 1 at most: one that announces more is refused before
  /// its payload comes. Of a compressed message it limits the compressed bytes, which may be a little more
  /// (`max_compressed_bytes`).
  [[nodiscard]] item next(std::span<char>& input, std::size_t max_message_bytes) noexcept;

  /// Bytes of the current data frame's payload that are still to come: announced, so no reason to
  /// allocate that many.
  [[nodiscard]] std::size_t awaited() const noexcept { return left_; }

  /// Whether the message is text whose frame was begun last: to be asked before the next call of `next`.
  [[nodiscard]] bool is_text() const noexcept { return is_text_; }

  /// Whether that message's first frame had RSV1 set. Its UTF-8 is the caller's to check, once it is inflated.
  [[nodiscard]] bool is_compressed() const noexcept { return is_compressed_; }

  /// From now on the first frame of a message may have RSV1 set (RFC 7692, section 6).
  void allow_compression() noexcept { allows_compression_ = true; }

private:
  struct header;

  item read_header(std::span<char>& input, std::size_t max_message_bytes) noexcept;
  item read_payload(std::span<char>& input) noexcept;
  static item read_control(std::span<char>& input, const header& head) noexcept;
  [[nodiscard]] fault check_first_bytes(const header& head) const noexcept;
  void begin_frame(const header& head) noexcept;

  std::uint32_t left_ = 0; // of this frame's payload
  std::uint32_t size_ = 0; // of the message so far, this frame included
  std::uint32_t key_ = 0;  // as it lies in memory, turned to where we are
  utf8_checker utf8_;
  bool in_payload_ : 1 = false;
  bool in_message_ : 1 = false; // a fragment has come, the last one has not
  bool is_final_ : 1 = false;
  bool is_text_ : 1 = false;
  bool is_compressed_ : 1 = false;
  bool allows_compression_ : 1 = false;
  bool is_over_ : 1 = false; // a fault or a close frame was handed on
};

/// The close code that a fault is answered with: 1002, 1007 or 1009 (RFC 6455, 7.4.1).
[[nodiscard]] std::uint16_t close_code_of(frame_reader::fault wrong) noexcept;

/// The reason that goes into the close frame with it.
[[nodiscard]] const char* text_of(frame_reader::fault wrong) noexcept;

} // namespace canang::net
