#include "bench/load/resume.hpp"

#include "bench/load/meta_frame.hpp"
#include "bench/load/options.hpp"
#include "bench/load/resume_loop.hpp"

#include <fmt/format.h>

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>

namespace canang::load {

namespace {

constexpr std::uint64_t ms_ns = 1'000'000;
constexpr std::uint64_t late_limit_ns =
  1'000 * ms_ns; // what the pacer is behind is not made up for

volatile std::sig_atomic_t told_to_stop = 0;
void on_stop(int) { told_to_stop = 1; }

} // namespace

/// Passes on what the frame reader finds in the bytes of one recv.
class resume_loop::inbound final {
public:
  inbound(resume_loop& owner, std::uint32_t index, std::uint64_t now) noexcept
    : owner_(owner), index_(index), now_(now) {}

  bool on_message(opcode, std::string_view text) { return owner_.on_message(index_, text, now_); }
  bool on_control(opcode op, std::string_view payload) {
    return owner_.on_control(index_, op, payload, now_);
  }

private:
  resume_loop& owner_;
  std::uint32_t index_;
  std::uint64_t now_;
};

bool resume_loop::run() {
  journal_.head(opts_.rooms, opts_.members);
  while (phase_ != phase::settling || !has_settled()) {
    const auto now = steady_ns();
    take_phase(now);
    start_due(now);
    if (phase_ == phase::publishing)
      publish_due(now);
    if (now >= next_check_ns_) {
      fail_overdue(now);
      tell_progress(now);
      next_check_ns_ = now + 100 * ms_ns;
    }
    wait_and_handle(now);
  }
  journal_.end();
  return open_ == members_.size();
}

void resume_loop::take_phase(std::uint64_t now) {
  if (phase_ == phase::ramping_up && open_ == members_.size()) {
    phase_ = phase::publishing;
    pacer_ = pacer{now, opts_.rate_per_s, 0};
    fmt::print("connected {}\n", open_);
    std::fflush(stdout);
  }
  if (phase_ != phase::settling && told_to_stop != 0) {
    phase_ = phase::settling;
    stopped_ns_ = last_arrival_ns_ = now;
  }
}

bool resume_loop::has_settled() const {
  const auto now = steady_ns();
  const auto quiet_ns = static_cast<std::uint64_t>(opts_.quiet.count()) * ms_ns;
  const auto limit_ns = static_cast<std::uint64_t>(opts_.settle_limit.count()) * ms_ns;
  const bool all_came = open_ == members_.size() && now - last_arrival_ns_ >= quiet_ns;
  return all_came || now - stopped_ns_ >= limit_ns;
}

/// The rooms take turns, and in a room its members.
void resume_loop::publish_due(std::uint64_t now) {
  while (pacer_.due_ns() <= now) {
    if (now - pacer_.due_ns() < late_limit_ns)
      publish_in(static_cast<std::uint32_t>(pacer_.next() % opts_.rooms), now);
    pacer_.advance();
  }
}

bool resume_loop::publish_in(std::uint32_t room, std::uint64_t now) {
  for (std::uint32_t tries = 0; tries < opts_.members; ++tries) {
    const auto index = room * opts_.members + turns_[room]++ % opts_.members;
    auto& m = members_[index];
    if (m.at != place::open || !m.out.empty())
      continue; // away, or not read by the server just now
    const auto id = fmt::format("{}:{}", index, m.published++);
    auto payload = id + ":";
    payload.resize(std::max(opts_.size_bytes, payload.size()), '.');
    append_frame(m.out, opcode::text, payload, mask());
    journal_.note(now, 's', index, id);
    ++tally_.published;
    flush(index);
    return true;
  }
  return false;
}

void resume_loop::wait_and_handle(std::uint64_t now) {
  std::uint64_t until = now + 20 * ms_ns;
  if (phase_ == phase::publishing)
    until = std::min(until, pacer_.due_ns());
  if (!away_.empty())
    until = std::min(until, away_.top().first);
  const timespec timeout{0, static_cast<long>(until > now ? until - now : 0)};
  std::array<epoll_event, 256> events;
  const int n = epoll_pwait2(epoll_.get(), events.data(), events.size(), &timeout, nullptr);
  for (int i = 0; i < n; ++i) {
    const auto& e = events[static_cast<std::size_t>(i)];
    handle(e.data.u32, e.events);
  }
}

void resume_loop::handle(std::uint32_t index, std::uint32_t events) {
  auto& m = members_[index];
  if (m.at == place::away)
    return;
  if (m.at == place::connecting)
    return finish_connect(index);
  if ((events & EPOLLOUT) != 0)
    flush(index);
  if ((events & ~static_cast<std::uint32_t>(EPOLLOUT)) == 0 || m.at == place::away)
    return;
  if (m.at == place::handshaking)
    read_handshake(index);
  else
    receive(index);
}

void resume_loop::receive(std::uint32_t index) {
  auto& m = members_[index];
  if (m.reader.wanted() > buffer_.size())
    buffer_.resize(m.reader.wanted());
  const auto kept = m.reader.restore(buffer_.data());
  const auto n = ::recv(m.fd.get(), buffer_.data() + kept, buffer_.size() - kept, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n <= 0)
    return lose(index, "1006");
  m.heard_ns = steady_ns();
  take_bytes(index, kept + static_cast<std::size_t>(n), m.heard_ns);
}

void resume_loop::take_bytes(std::uint32_t index, std::size_t size, std::uint64_t now) {
  inbound sink{*this, index, now};
  if (members_[index].reader.feed({buffer_.data(), size}, sink) == frame_reader::status::malformed)
    lose(index, "malformed");
}

bool resume_loop::on_message(std::uint32_t index, std::string_view text, std::uint64_t now) {
  auto& m = members_[index];
  const auto frame = parse_meta_frame(text);
  last_arrival_ns_ = now;
  switch (frame.what) {
  case meta_frame::kind::malformed: lose(index, "malformed"); return false;
  case meta_frame::kind::error: journal_.note(now, 'e', index, frame.text); return true;
  case meta_frame::kind::join:
    if (m.at == place::joining) {
      m.at = place::open;
      m.begun_ns = m.heard_ns = now;
      ++open_;
    }
    journal_.note(now, 'j', index, frame.epoch, frame.offset, frame.recovered ? "1" : "0");
    break;
  case meta_frame::kind::publication:
    ++tally_.got;
    journal_.note(now, 'p', index, frame.epoch, frame.offset,
                  frame.text.substr(0, frame.text.rfind(':')));
    break;
  case meta_frame::kind::event:
    journal_.note(now, 'p', index, frame.epoch, frame.offset, frame.text);
    break;
  }
  if (m.epoch != frame.epoch)
    m.epoch.assign(frame.epoch);
  m.offset = frame.offset;
  return true;
}

bool resume_loop::on_control(std::uint32_t index, opcode op, std::string_view payload,
                             std::uint64_t) {
  auto& m = members_[index];
  if (op == opcode::ping)
    append_frame(m.out, opcode::pong, payload, mask());
  if (op == opcode::close)
    append_close(m.out, 1000, mask());
  flush(index);
  if (op != opcode::close)
    return m.at != place::away;
  if (m.at != place::away)
    lose(index, std::to_string(close_code(payload)));
  return false;
}

void resume_loop::tell_progress(std::uint64_t now) {
  if (now - told_.time_ns < 1000 * ms_ns)
    return;
  tally_.time_ns = now;
  const double seconds = static_cast<double>(now - told_.time_ns) / 1e9;
  if (told_.time_ns > 0)
    fmt::print(stderr, "in their rooms {}/{}  published {:.0f}/s  got {:.0f}/s  closed {}\n", open_,
               members_.size(), static_cast<double>(tally_.published - told_.published) / seconds,
               static_cast<double>(tally_.got - told_.got) / seconds, tally_.closes);
  told_ = tally_;
}

std::uint64_t steady_ns() noexcept {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                      std::chrono::steady_clock::now().time_since_epoch())
                                      .count());
}

int resume(const resume_options& o) {
  std::signal(SIGINT, on_stop);
  std::signal(SIGTERM, on_stop);
  raise_descriptor_limit();
  return resume_loop{o}.run() ? exit_ok : exit_faulty;
}

} // namespace canang::load
