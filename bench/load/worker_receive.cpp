#include "bench/load/worker.hpp"

#include <algorithm>
#include <cerrno>

namespace canang::load {

/// Passes on what the frame reader and the dialect find in the bytes of one recv.
class worker::inbound final : public dialect_events {
public:
  inbound(worker& owner, connection& c, std::uint64_t now) noexcept
    : owner_(owner), c_(c), now_(now) {}

  bool on_message(opcode op, std::string_view message) {
    if (op != owner_.message_opcode_) [[unlikely]]
      ++owner_.findings_.retyped;
    if (owner_.transparent_) [[likely]] {
      owner_.on_publication(c_, message, now_);
      return true;
    }
    if (!owner_.state_.language.decode(message, owner_.room_of(c_).name, *this))
      refused_ = "dialect";
    return refused_.empty();
  }
  bool on_control(opcode op, std::string_view payload) {
    return owner_.on_control(c_, op, payload);
  }

  void on_publication(std::string_view payload) override {
    owner_.on_publication(c_, payload, now_);
  }
  void on_joined() override { owner_.on_joined(c_, now_); }
  void on_reply(std::string_view message) override {
    append_frame(c_.out, owner_.message_opcode_, message, owner_.random());
  }
  void on_refused(std::string_view why) override { refused_ = why; }

  const std::string& refused() const noexcept { return refused_; }

private:
  worker& owner_;
  connection& c_;
  std::uint64_t now_;
  std::string refused_;
};

worker::unread worker::receive(connection& c) {
  if (c.reader.wanted() > buffer_.size())
    buffer_.resize(c.reader.wanted());
  const auto kept = c.reader.restore(buffer_.data());
  const auto room = buffer_.size() - kept;
  const auto n = ::recv(c.fd.get(), buffer_.data() + kept, room, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return errno == EINTR ? unread::likely : unread::none;
  if (n <= 0) {
    close(c, "1006");
    return unread::none;
  }
  tally_.bytes += static_cast<std::uint64_t>(n);
  take_bytes(c, kept + static_cast<std::size_t>(n), state_.clock.now_ns());
  if (!c.is_alive())
    return unread::none;
  return static_cast<std::size_t>(n) == room ? unread::likely : unread::unlikely;
}

void worker::take_bytes(connection& c, std::size_t size, std::uint64_t now) {
  inbound sink{*this, c, now};
  const auto status = c.reader.feed({buffer_.data(), size}, sink);
  if (!sink.refused().empty() && c.is_alive()) {
    if (c.state == connection_state::joining)
      return fail(c, "refused: " + sink.refused());
    return close(c, "refused: " + sink.refused());
  }
  if (status == frame_reader::status::malformed)
    return close(c, "malformed frame");
  if (!c.is_alive())
    return;
  if (c.witnessing >= 0)
    refill_witnessed(c, now);
  else if (c.publishing >= 0)
    refill(publishers_[static_cast<std::size_t>(c.publishing)], now);
  if (!c.out.empty() && !c.waits_for_write)
    flush(c);
}

void worker::on_publication(connection& c, std::string_view payload, std::uint64_t now) {
  const auto found = c.checker.accept(payload);
  if (found > verdict::late) [[unlikely]] {
    if (found != verdict::foreign)
      ++tally_.odd;
    return;
  }
  ++tally_.deliveries;
  if (found == verdict::late)
    ++tally_.odd;
  if (!plan_of(c).measured) {
    ++tally_.unmeasured;
    return; // nor is its own one what a publisher waits for
  }
  const auto due_ns = payload::time_ns_of(payload.data());
  if (due_ns >= record_from_ns_)
    findings_.latency.record(now > due_ns ? now - due_ns : 0);
  const auto publisher = payload::publisher_of(payload.data());
  if (c.witnessing >= 0 && publisher < opts_.publishers)
    return on_back(publishers_[static_cast<std::size_t>(c.witnessing) + publisher], payload, now);
  if (c.publishing < 0)
    return;
  auto& p = publishers_[static_cast<std::size_t>(c.publishing)];
  if (publisher == p.number)
    on_back(p, payload, now);
}

bool worker::on_control(connection& c, opcode op, std::string_view payload) {
  if (op == opcode::ping)
    append_frame(c.out, opcode::pong, payload, random());
  if (op != opcode::close)
    return true;
  if (c.state != connection_state::closing) {
    append_close(c.out, 1000, random());
    (void)c.flush(); // as far as it goes: the connection ends here
  }
  close(c, std::to_string(close_code(payload)));
  return false;
}

} // namespace canang::load
