#include "tests/support/fake_session.hpp"

#include "tests/support/sim_home.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <utility>

namespace canang::sim {

using self_ptr = boost::intrusive_ptr<fake_session>;

void fake_peer::send(net::frame_type type, std::string payload) {
  if (session == nullptr)
    return;
  session->inputs_.push_back({{type, std::move(payload)}, {}});
  session->read_more();
}

void fake_peer::close(std::uint16_t code, net::close_reason reason) {
  if (session == nullptr)
    return;
  session->inputs_.push_back({{}, net::close_info{code, reason}});
  session->read_more();
}

void fake_peer::go_on_reading() {
  is_stuck = false;
  if (session != nullptr)
    session->take_later();
}

void fake_peer::vanish() {
  if (session == nullptr)
    return;
  session->later_.post(session->number_, [self = self_ptr{session}] {
    if (self->state_ == fake_session::state::closed)
      return;
    self->state_ = fake_session::state::closed;
    self->report({1006, net::close_reason::abnormal});
  });
}

fake_session::fake_session(std::uint64_t number, net::loop_context& context, later_queue& later,
                           const sim_home* home, std::shared_ptr<fake_peer> peer)
  : number_(number),
    context_(context),
    later_(later),
    home_(home),
    peer_(std::move(peer)),
    heard_(context.now()) {
  peer_->session = this;
  context_.metrics.connections.add(1);
}

fake_session::~fake_session() {
  check_home();
  peer_->session = nullptr;
  context_.metrics.connections.subtract(1);
}

void fake_session::check_home() const {
  if (home_ == nullptr)
    return;
  EXPECT_EQ(sim_home::current(), home_)
    << "session " << number_ << " of loop " << home_->index() << " was touched by loop "
    << (sim_home::current() == nullptr ? std::string{"none"}
                                       : std::to_string(sim_home::current()->index()));
}

void fake_session::attach(std::unique_ptr<net::session_handler> handler) {
  check_home();
  EXPECT_EQ(handler_, nullptr) << "a second handler";
  handler_ = std::move(handler);
}

void fake_session::open() {
  check_home();
  if (state_ != state::opening)
    return;
  state_ = state::open;
  peer_->was_opened = true;
  read_more();
}

net::send_status fake_session::send(const net::frame_buffer_ptr& buffer, std::size_t from,
                                    std::size_t to) {
  check_home();
  if (state_ != state::open)
    return net::send_status::dropped;
  if (peer_->write_fails) {
    report_later({1006, net::close_reason::write_error});
    state_ = state::closed;
    return net::send_status::dropped;
  }
  if (to - from > peer_->appetite_bytes) {
    close(1008, "slow consumer", net::close_reason::slow_consumer);
    return net::send_status::dropped;
  }
  peer_->appetite_bytes -= to - from;
  take_or_queue({buffer->data() + from, to - from});
  return waiting_.empty() ? net::send_status::sent : net::send_status::queued;
}

net::send_status fake_session::send_reply(const net::frame_buffer_ptr& head,
                                          net::frame_source_ptr rest) {
  check_home();
  if (state_ != state::open)
    return net::send_status::dropped;
  take_or_queue({head->data(), head->size()});
  if (!rest)
    return net::send_status::sent;
  waiting_.push_back({std::move(rest)});
  take_later();
  return net::send_status::queued;
}

void fake_session::take_or_queue(std::string_view frames) {
  if (waiting_.empty() && !peer_->reads_later)
    take_frames(frames);
  else if (!frames.empty())
    waiting_.push_back({nullptr, std::string{frames}});
  if (peer_->reads_later && waiting_.size() == 1)
    take_later();
}

/// The client takes a piece of the answer whenever the test likes, and the next one again later.
void fake_session::take_later() {
  later_.post(number_, [self = self_ptr{this}] {
    if (self->state_ == state::closed || self->waiting_.empty() || self->peer_->is_stuck)
      return;
    self->take_waiting(1);
    if (!self->waiting_.empty())
      self->take_later();
  });
}

/// Takes so many pieces of answers, and what waits between and behind them.
void fake_session::take_waiting(std::size_t pieces) {
  for (; pieces > 0 && !waiting_.empty(); --pieces) {
    const auto& first = waiting_.front();
    if (const auto piece = first.answer ? first.answer->next() : nullptr) {
      take_frames({piece->data(), piece->size()});
      continue;
    }
    take_frames(first.frames);
    waiting_.pop_front();
    for (; !peer_->reads_later && !waiting_.empty() && !waiting_.front().answer;
         waiting_.pop_front())
      take_frames(waiting_.front().frames);
  }
}

/// Reads server frames: unmasked, never in fragments.
void fake_session::take_frames(std::string_view bytes) {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); };
  while (!bytes.empty()) {
    ASSERT_GE(bytes.size(), 2U) << "half a frame";
    ASSERT_EQ(byte(0) & 0xF0U, 0x80U) << "not a whole frame, or reserved bits";
    std::size_t size = byte(1);
    std::size_t header = 2;
    if (size >= 126) {
      const std::size_t length_bytes = size == 126 ? 2 : 8;
      ASSERT_GE(bytes.size(), header + length_bytes) << "half a frame";
      size = 0;
      for (; header < 2 + length_bytes; ++header)
        size = (size << 8U) | byte(header);
    }
    ASSERT_GE(bytes.size(), header + size) << "half a frame";
    const auto opcode = byte(0) & 0x0FU;
    if (opcode == 0x9) {
      ++peer_->pings;
    } else {
      ASSERT_TRUE(opcode == 1 || opcode == 2) << "opcode " << opcode;
      peer_->received.push_back(
        {static_cast<net::frame_type>(opcode), std::string{bytes.substr(header, size)}});
    }
    bytes.remove_prefix(header + size);
  }
}

void fake_session::ping() {
  check_home();
  if (state_ == state::open)
    take_frames(net::ping_frame);
}

void fake_session::pause_reading(bool paused) {
  check_home();
  if (peer_->pause_throws)
    throw std::runtime_error{"a session that can't be paused"};
  EXPECT_NE(peer_->reading_is_paused, paused) << "flow control that is not balanced";
  peer_->reading_is_paused = paused;
  peer_->pauses += paused;
  read_more();
}

void fake_session::close(std::uint16_t code, std::string_view, net::close_reason reason) {
  check_home();
  if (state_ == state::opening) {
    abort(reason);
    return;
  }
  if (state_ != state::open)
    return;
  if (reason == net::close_reason::slow_consumer)
    waiting_.clear();
  else
    take_waiting(std::numeric_limits<std::size_t>::max()); // an orderly end
  state_ = state::closing;
  peer_->close_code = code;
  report_later({code, reason});
}

void fake_session::abort(net::close_reason reason) {
  check_home();
  if (state_ == state::closed)
    return;
  state_ = state::closed;
  waiting_.clear();
  peer_->aborted = reason;
  report_later({1006, reason});
}

void fake_session::refuse(net::reject_reason reason) {
  if (state_ != state::opening)
    return;
  peer_->was_refused = true;
  peer_->refused_for = reason;
  abort(net::close_reason::abnormal);
}

void fake_session::read_more() {
  if (reading_ || inputs_.empty() || peer_->reading_is_paused || state_ != state::open)
    return;
  reading_ = true;
  later_.post(number_, [self = self_ptr{this}] { self->read_one(); });
}

void fake_session::read_one() {
  reading_ = false;
  if (state_ != state::open || inputs_.empty())
    return;
  if (peer_->reading_is_paused)
    return;
  const auto next = std::move(inputs_.front());
  inputs_.pop_front();
  heard_ = std::max(heard_, context_.now());
  if (next.close) {
    state_ = state::closed;
    report(*next.close);
    return;
  }
  handler_->on_message(next.data.type, {next.data.payload.data(), next.data.payload.size()});
  read_more();
}

void fake_session::report(const net::close_info& info) {
  if (reported_)
    return;
  reported_ = true;
  peer_->reported = info;
  if (const auto handler = std::move(handler_))
    handler->on_closed(info);
}

void fake_session::report_later(const net::close_info& info) {
  if (!reported_)
    later_.post(number_, [self = self_ptr{this}, info] { self->report(info); });
}

} // namespace canang::sim
