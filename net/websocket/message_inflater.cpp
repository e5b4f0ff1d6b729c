#include "net/websocket/message_inflater.hpp"

#include "net/limits.hpp"
#include "net/utf8.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>

namespace canang::net {

namespace {

/// The largest window that there is: whatever a client may choose.
constexpr int raw_window_bits = -15;

/// What every message that is flushed ends with, and leaves out (RFC 7692, 7.2.2).
constexpr std::array<char, 4> tail{'\x00', '\x00', '\xff', '\xff'};

/// What is made before it is looked at: of a bomb, of a text that is none.
constexpr std::size_t piece_bytes = 16 * 1024;

} // namespace

struct message_inflater::stream {
  stream() noexcept : is_ready(::inflateInit2(&state, raw_window_bits) == Z_OK) {}
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;
  ~stream() {
    if (is_ready)
      ::inflateEnd(&state);
  }

  void give(std::span<const char> input) noexcept {
    // zlib does not write there
    state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    state.avail_in = static_cast<uInt>(input.size());
  }

  /// Whether what came so far ends with a whole block: see `data_type` in zlib.h.
  [[nodiscard]] bool is_between_blocks() const noexcept {
    constexpr int after_block = 128;
    constexpr int unused_bits = 63;
    return (state.data_type & after_block) != 0 && (state.data_type & unused_bits) == 0;
  }

  z_stream state{};
  bool is_ready;
};

namespace {

/// A message on its way out.
struct making {
  std::vector<char>& out;
  std::size_t max_bytes;
  bool is_text;
  std::size_t size = 0;
  utf8_checker utf8{};
};

using outcome = message_inflater::outcome;

/// Makes room for the next piece, up to one byte more than the message may have.
std::span<char> next_piece(making& message) {
  const auto most = message.max_bytes + 1;
  const auto until = std::min(message.size + piece_bytes, most);
  if (message.out.size() < until)
    message.out.resize(std::min(std::max(until, 2 * message.out.size()), most));
  return std::span{message.out}.subspan(message.size, until - message.size);
}

/// Inflates all that the stream was given.
/// @returns `whole` where there is nothing against it so far.
template <class Stream>
outcome inflate_given(Stream& from, making& message, bool& has_ended) {
  auto& state = from.state;
  has_ended = false;
  for (;;) {
    const auto piece = next_piece(message);
    state.next_out = reinterpret_cast<Bytef*>(piece.data());
    state.avail_out = static_cast<uInt>(piece.size());
    const auto result = ::inflate(&state, Z_SYNC_FLUSH);
    const auto made = piece.first(piece.size() - state.avail_out);
    message.size += made.size();
    if (message.size > message.max_bytes)
      return outcome::too_big;
    if (message.is_text && !message.utf8.feed(made))
      return outcome::not_utf8;
    if (result == Z_STREAM_END) {
      // a block that says it is the last one: others may follow all the same (7.2.3.4)
      has_ended = state.avail_in == 0;
      ::inflateReset(&state);
      if (has_ended)
        return outcome::whole;
    } else if (result == Z_BUF_ERROR || (result == Z_OK && state.avail_out > 0)) {
      return state.avail_in == 0 ? outcome::whole : outcome::invalid;
    } else if (result != Z_OK) {
      return outcome::invalid;
    }
  }
}

} // namespace

message_inflater::message_inflater(loop_metrics& metrics) noexcept : metrics_(metrics) {}

message_inflater::~message_inflater() = default;

/// @returns false where there is no memory for it.
bool message_inflater::begin() {
  if (!stream_)
    stream_ = std::make_unique<stream>();
  if (stream_->is_ready && ::inflateReset(&stream_->state) == Z_OK)
    return true;
  stream_.reset();
  return false;
}

message_inflater::message message_inflater::inflate(std::span<const char> packed, bool is_text,
                                                    std::size_t max_bytes) {
  assert(packed.size() <= std::numeric_limits<uInt>::max());
  if (made_.size() > max_kept_inflated_bytes)
    made_ = std::vector<char>{};
  if (packed.empty())
    return {.what = outcome::whole};
  if (!begin())
    return {.what = outcome::too_big};
  making message{.out = made_, .max_bytes = max_bytes, .is_text = is_text};
  bool has_ended = false;
  auto found = outcome::whole;
  for (std::size_t at = 0; found == outcome::whole && at < packed.size();) {
    const auto slice = packed.subspan(at, std::min(inflated_slice_bytes, packed.size() - at));
    stream_->give(slice);
    found = inflate_given(*stream_, message, has_ended);
    at += slice.size();
    if (found == outcome::whole && at > max_packed_bytes(message.size))
      found = outcome::too_big;
  }
  if (found == outcome::whole && !has_ended) {
    stream_->give(tail);
    found = inflate_given(*stream_, message, has_ended);
    if (found == outcome::whole && !has_ended && !stream_->is_between_blocks())
      found = outcome::invalid; // cut short
  }
  if (found == outcome::whole && is_text && !message.utf8.is_whole())
    found = outcome::not_utf8;
  metrics_.inflated_from_bytes_total.add(packed.size());
  metrics_.inflated_to_bytes_total.add(message.size);
  if (found != outcome::whole)
    return {.what = found, .made_bytes = message.size};
  return {
    .what = found, .payload = std::span{made_}.first(message.size), .made_bytes = message.size};
}

} // namespace canang::net
