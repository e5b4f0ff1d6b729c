#include "net/websocket_session_impl.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/websocket/error.hpp>

#include <algorithm>
#include <utility>

// What a session reads: messages, close frames, and faults of the client.

namespace canang::net {

namespace {

namespace websocket = boost::beast::websocket;
using boost::system::error_code;
using self_ptr = boost::intrusive_ptr<websocket_session>;

/// Why Beast failed a connection, as our reason and the close code that Beast has sent.
close_info classify(const error_code& ec) {
  if (ec == websocket::error::bad_frame_payload)
    return {1007, close_reason::bad_payload};
  if (ec == websocket::error::message_too_big || ec == websocket::error::buffer_overflow)
    return {1009, close_reason::too_big};
  if (ec == websocket::condition::protocol_violation)
    return {1002, close_reason::protocol_error};
  return {1006, close_reason::abnormal};
}

close_reason reason_of_client_code(std::uint16_t code) {
  switch (code) {
  case 1000:
  case 1005: return close_reason::normal;
  case 1001: return close_reason::going_away;
  default: return close_reason::client_close;
  }
}

/// Whether this is Beast's answer to a close frame whose code no client may send: it echoes the code.
bool answers_bad_close(frame_buffer& frames) {
  const auto& bytes = frames.bytes();
  if (bytes.size() < 4 || static_cast<std::uint8_t>(bytes[0]) != 0x88)
    return false;
  const auto high = static_cast<std::uint8_t>(bytes[2]);
  const auto low = static_cast<std::uint8_t>(bytes[3]);
  return !is_close_code(static_cast<std::uint16_t>(high << 8U | low));
}

} // namespace

bool websocket_session::on_bytes(const boost::asio::mutable_buffer& bytes) {
  heard_ = context_.now();
  context_.metrics.received_bytes_total.add(bytes.size());
  return guard_.feed({static_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

bool websocket_session::on_stream_write(const frame_buffer_ptr& frames) {
  if (state_ == state::closing || state_ == state::lingering)
    return true; // our close frame was the last; what Beast adds must not follow it
  if (state_ != state::open)
    return false;
  if (answers_bad_close(*frames)) {
    frames->bytes().clear();
    append_close_frame(frames->bytes(), 1002, "bad close code");
  }
  return send(frames, 0, frames->size()) != send_status::dropped;
}

boost::asio::mutable_buffer websocket_session::read_space() {
  if (!partial_)
    return boost::asio::buffer(small_.data() + partial_size_, small_.size() - partial_size_);
  return boost::asio::buffer(partial_->data() + partial_size_, partial_->size() - partial_size_);
}

void websocket_session::read_more() {
  if (reading_ || reading_paused_ || (state_ != state::open && state_ != state::closing))
    return;
  reading_ = true;
  stream_.async_read_some(read_space(), [self = self_ptr{this}](error_code ec, std::size_t size) {
    self->on_read(ec, size);
  });
}

void websocket_session::on_read(const error_code& ec, std::size_t size) {
  reading_ = false;
  if (ec) {
    on_read_error(ec);
    return;
  }
  partial_size_ += static_cast<std::uint32_t>(size);
  if (stream_.is_message_done()) {
    deliver_message();
  } else if (read_space().size() == 0) {
    // grow with what has arrived, not with what was announced, up to the limit that Beast keeps
    const auto grown = std::min(std::max<std::size_t>(std::size_t{partial_size_} * 4, 4096),
                                context_.limits.max_message_bytes + 1);
    if (!partial_) {
      partial_ = std::make_unique<std::vector<char>>(grown);
      std::copy_n(small_.data(), partial_size_, partial_->data());
    } else {
      partial_->resize(grown);
    }
  }
  read_more();
}

void websocket_session::deliver_message() {
  const auto size = std::exchange(partial_size_, 0);
  const auto large = std::move(partial_);
  const std::span<const char> payload{large ? large->data() : small_.data(), size};
  if (state_ != state::open)
    return;
  // Beast 1.81 checks as bytes come; when the last fragment is empty, nobody asks whether a character
  // was left unfinished (RFC 6455, 8.1)
  if (stream_.got_text() && !ends_with_a_whole_character(payload))
    close(1007, "not UTF-8", close_reason::bad_payload);
  else if (handler_)
    handler_->on_message(stream_.got_text() ? frame_type::text : frame_type::binary, payload);
}

void websocket_session::on_read_error(const error_code& ec) {
  if (state_ == state::closing) { // answered, or gone: either way the close is complete
    if (ec == websocket::error::closed)
      linger();
    else
      close_socket(false);
    return;
  }
  if (state_ != state::open)
    return;
  if (ec == websocket::error::closed) {
    const auto code = static_cast<std::uint16_t>(stream_.reason().code);
    const auto given = code == 0 ? std::uint16_t{1005} : code;
    enter(state::lingering);
    if (code != 0 && !is_close_code(code))
      report({1002, close_reason::protocol_error});
    else
      report({given, reason_of_client_code(given)});
    linger();
    return;
  }
  auto info = classify(ec);
  if (ec == boost::asio::error::invalid_argument) { // frame_guard; Beast knows nothing of it
    info = {1002, close_reason::protocol_error};
    const auto frame = context_.buffers.make();
    append_close_frame(frame->bytes(), 1002, "bad frame length");
    send(frame, 0, frame->size());
  }
  if (state_ != state::open)
    return; // the send found out that the connection is gone
  if (info.reason == close_reason::abnormal) {
    close_socket(false);
    report(info);
    return;
  }
  enter(state::lingering);
  report(info);
  linger();
}

} // namespace canang::net
