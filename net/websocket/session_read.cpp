#include "net/websocket/session_impl.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

// What a session reads: messages, close frames, and faults of the client.

namespace canang::net {

namespace {

close_reason reason_of_client_code(std::uint16_t code) {
  switch (code) {
  case 1000:
  case 1005: return close_reason::normal;
  case 1001: return close_reason::going_away;
  default: return close_reason::client_close;
  }
}

close_reason reason_of_fault(std::uint16_t code) {
  switch (code) {
  case 1007: return close_reason::bad_payload;
  case 1009: return close_reason::too_big;
  default: return close_reason::protocol_error;
  }
}

std::string_view text_of_bytes(std::span<const char> bytes) { return {bytes.data(), bytes.size()}; }

} // namespace

struct websocket_session::reading {
  std::size_t frames = max_frames_a_turn;
  std::size_t bytes = max_read_bytes_a_turn; // by what they cost
  std::size_t inflated = max_inflated_bytes_a_turn;
  frame_buffer_ptr pongs{};

  [[nodiscard]] bool takes_no_more() const noexcept { return frames == 0 || inflated == 0; }
  [[nodiscard]] bool is_over() const noexcept { return takes_no_more() || bytes == 0; }
};

void websocket_session::on_ready(std::uint32_t events) {
  if (note(events))
    read();
}

void websocket_session::read() {
  if (phase() == state::lingering) {
    discard_input();
    return;
  }
  reading turn;
  if (may_take_held() && may_read())
    take_held(turn);
  while (is_readable() && may_read() && !turn.is_over())
    read_some(turn);
  context().sockets.charge((max_frames_a_turn - turn.frames) * cost_of_frame
                           + (max_inflated_bytes_a_turn - turn.inflated));
  if (turn.is_over() && may_read() && has_work())
    go_on_later();
}

/// One read from the socket, of no more than the payload that we are in and `read_ahead_bytes`.
void websocket_session::read_some(reading& turn) {
  const auto scratch = context().sockets.scratch();
  const auto held = has_held() ? extra_->held.size() : 0;
  assert(held < scratch.size());
  const auto into =
    scratch.subspan(held, std::min(scratch.size() - held, frames_.awaited() + read_ahead_bytes));
  const auto got = read_once(into);
  if (got.size == -EAGAIN)
    return;
  if (got.size <= 0) {
    on_lost({1006, close_reason::abnormal}); // without a word
    return;
  }
  const auto size = static_cast<std::size_t>(got.size);
  turn.bytes -= std::min(turn.bytes, got.cost);
  if (held > 0) {
    std::memcpy(scratch.data(), extra_->held.data(), held);
    extra_->held = std::vector<char>{};
    extra_changed();
  }
  take(scratch.first(held + size), turn);
}

/// Goes on with what was read before reading was paused, or before a turn's share was used up.
void websocket_session::take_held(reading& turn) {
  auto bytes = std::exchange(extra_->held, {});
  extra_changed();
  take(bytes, turn);
}

/// Handles what is whole of `bytes` as far as it may, and holds the rest.
void websocket_session::take(std::span<char> bytes, reading& turn) {
  bool is_short = false;
  while (may_read() && !turn.takes_no_more()) {
    const auto item = frames_.next(bytes, context().limits.max_message_bytes);
    is_short = item.what == frame_reader::kind::need_more;
    if (is_short)
      break;
    --turn.frames;
    take_item(item, turn);
  }
  send_pongs(turn);
  if (!bytes.empty() && (phase() == state::open || phase() == state::closing))
    hold(bytes, is_short);
}

void websocket_session::take_item(const frame_reader::item& item, reading& turn) {
  using kind = frame_reader::kind;
  switch (item.what) {
  case kind::data: take_data(item, turn); return;
  case kind::ping:
    if (phase() != state::open)
      return;
    if (!turn.pongs)
      turn.pongs = context().buffers.make();
    append_pong_frame(turn.pongs->bytes(), text_of_bytes(item.payload));
    note_frame();
    return;
  case kind::close:
    send_pongs(turn);
    take_close(item);
    return;
  case kind::fault:
    send_pongs(turn);
    fail(item.wrong);
    return;
  case kind::pong: note_frame(); return;
  case kind::need_more: return;
  }
}

/// The handler may pause reading, or close.
void websocket_session::note_frame() {
  if (phase() == state::open && handler() != nullptr)
    handler()->on_frame();
}

/// All pongs of a read in one write: they keep their order, and a flood of pings costs few calls.
void websocket_session::send_pongs(reading& turn) {
  if (const auto pongs = std::exchange(turn.pongs, nullptr))
    send(pongs, 0, pongs->size());
}

void websocket_session::take_data(const frame_reader::item& part, reading& turn) {
  if (phase() != state::open)
    return;
  const bool is_begun = extra_ && !extra_->message.empty();
  if (!is_begun && part.ends_message) {
    deliver(part.payload, turn);
    return;
  }
  keep_part(part.payload);
  if (!part.ends_message) {
    if (frames_.awaited() == 0) // not only all that one read brought of it
      note_frame();
    return;
  }
  const auto whole = extra_ ? std::exchange(extra_->message, {}) : std::vector<char>{};
  extra_changed();
  deliver(whole, turn);
}

/// Memory grows with what has come, by a quarter of it at a time: not with what was announced, and not to
/// twice what is needed.
void websocket_session::keep_part(std::span<const char> part) {
  if (part.empty())
    return;
  auto& message = ensure_extra().message;
  const auto needed = message.size() + part.size();
  if (needed > message.capacity()) {
    const auto most = frames_.is_compressed()
                        ? frame_reader::max_compressed_bytes(context().limits.max_message_bytes)
                        : context().limits.max_message_bytes;
    message.reserve(std::max(needed, std::min(needed + needed / 4, most)));
  }
  message.insert(message.end(), part.begin(), part.end());
  extra_->recount();
}

void websocket_session::hold(std::span<const char> bytes, bool is_short) {
  ensure_extra().held.assign(bytes.begin(), bytes.end());
  extra_->held_is_short = is_short;
  extra_->recount();
}

void websocket_session::extra::recount() noexcept {
  const auto now = sizeof *this + held.capacity() + message.capacity();
  metrics.inbox_bytes.add(now - counted); // modulo 2^64, where it has become less
  counted = now;
}

websocket_session::extra& websocket_session::ensure_extra() {
  if (!extra_)
    extra_ = std::make_unique<extra>(context().metrics);
  return *extra_;
}

/// Something was taken out: counts what is left, and lets go of it when it is empty.
void websocket_session::extra_changed() {
  if (!extra_)
    return;
  if (extra_->held.empty() && extra_->message.empty() && !extra_->answer)
    extra_.reset();
  else
    extra_->recount();
}

void websocket_session::deliver(std::span<const char> payload, reading& turn) {
  if (frames_.is_compressed()) [[unlikely]] {
    const auto inflated = inflate(payload, turn);
    if (!inflated)
      return;
    payload = *inflated;
  }
  if (handler() != nullptr)
    handler()->on_message(frames_.is_text() ? frame_type::text : frame_type::binary, payload);
}

/// What a compressed message says, in memory of the loop. It counts for the turn as what is read does: a client that
/// sends bombs has its share, as one that sends much.
/// @returns nothing where it may not say that; the client is told.
std::optional<std::span<const char>> websocket_session::inflate(std::span<const char> packed,
                                                                reading& turn) {
  using outcome = message_inflater::outcome;
  const auto message = context().inflater.inflate(
    packed, frames_.is_text(), std::min(context().limits.max_message_bytes, max_inflated_bytes));
  const auto of_share = std::min(turn.inflated, message.made_bytes);
  turn.inflated -= of_share;
  context().sockets.charge(message.made_bytes - of_share); // its share is charged when it has read
  switch (message.what) {
  case outcome::whole: return message.payload;
  case outcome::too_big: fail(frame_reader::fault::too_big); break;
  case outcome::invalid: fail(frame_reader::fault::not_deflate); break;
  case outcome::not_utf8: fail(frame_reader::fault::not_utf8); break;
  }
  return std::nullopt;
}

void websocket_session::take_close(const frame_reader::item& item) {
  if (phase() == state::closing) {
    linger();
    return;
  }
  const auto answer = context().buffers.make();
  append_close_frame(answer->bytes(), item.close_code, text_of_bytes(item.payload));
  end(answer, {item.close_code, reason_of_client_code(item.close_code)});
}

/// The client broke the protocol: it is told how, and nothing more is read from it.
void websocket_session::fail(frame_reader::fault wrong) {
  if (phase() == state::closing) { // our close frame is the last that it gets
    linger();
    return;
  }
  const auto code = close_code_of(wrong);
  const auto frame = context().buffers.make();
  append_close_frame(frame->bytes(), code, text_of(wrong));
  end(frame, {code, reason_of_fault(code)});
}

/// Sends our close frame, the last of both sides'.
void websocket_session::end(const frame_buffer_ptr& frame, const close_info& info) {
  drop_unready(); // the last words do not wait for it
  send(frame, 0, frame->size());
  if (phase() == state::closing) { // it did not fit, and the one to a slow consumer took its place
    linger();
    return;
  }
  if (phase() != state::open)
    return; // the send found out that the connection is gone
  enter(state::lingering);
  report(info);
  linger();
}

} // namespace canang::net
