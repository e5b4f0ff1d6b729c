#include "bench/load/worker.hpp"

#include <sys/epoll.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace canang::load {

namespace {
constexpr std::size_t buffer_bytes = std::size_t{256} << 10;
constexpr std::uint64_t ms_ns = 1'000'000;
constexpr std::uint64_t look_up_ns = 10 * ms_ns;       // how late a change of phase may be noticed
constexpr std::uint64_t close_wait_ns = 3'000 * ms_ns; // for the server's close frames
} // namespace

worker::worker(run_state& state, std::uint32_t index, std::uint32_t count)
  : state_(state),
    opts_(state.opts),
    index_(index),
    count_(count),
    transparent_(state.language.is_transparent()),
    message_opcode_(state.opts.binary || state.language.is_binary() ? opcode::binary
                                                                    : opcode::text),
    epoll_(epoll_create1(EPOLL_CLOEXEC)),
    buffer_(buffer_bytes),
    random_(state.layout.run * 0x9E3779B97F4A7C15ULL + index + 1) {
  if (!epoll_)
    throw std::system_error(errno, std::generic_category(), "epoll_create1");
  const auto& members = state.layout.members;
  const std::size_t own = (members.size() + count - 1 - index) / count;
  sequences_.resize(own * state.layout.publishers);
  connections_.reserve(own);
  for (std::uint32_t m = index; m < members.size(); m += count) {
    const std::span<std::uint32_t> next{
      sequences_.data() + connections_.size() * state.layout.publishers, state.layout.publishers};
    connections_.emplace_back(member_checker{state.layout.rooms[members[m].room].rules, next}, m);
  }
}

void worker::run() {
  prctl(PR_SET_TIMERSLACK, 1UL); // the pacer wants to be woken in time
  while (true) {
    take_phase();
    const auto now = state_.clock.now_ns();
    if (seen_ == phase::connecting)
      start_due_connections(now);
    if (seen_ == phase::publishing)
      publish_due(now);
    if (now >= next_check_ns_) {
      fail_overdue(now);
      give_up_overdue(now);
      next_check_ns_ = now + look_up_ns;
    }
    tell_counters();
    if (seen_ == phase::closing && (alive_ == 0 || now >= close_deadline_ns_))
      break;
    wait_and_handle();
  }
  for (auto& c : connections_)
    c.fd.close();
  tell_counters();
}

void worker::take_phase() {
  const auto current = state_.now_in.load(std::memory_order_acquire);
  record_from_ns_ = state_.record_from_ns.load(std::memory_order_relaxed);
  if (current == seen_)
    return;
  seen_ = current;
  if (current == phase::publishing)
    start_publishing();
  if (current == phase::closing)
    close_all();
}

std::uint64_t worker::wait_limit_ns(std::uint64_t now) const {
  std::uint64_t limit = look_up_ns;
  if (seen_ == phase::connecting)
    limit = ms_ns;
  if (seen_ == phase::publishing && pacer_.is_active()) {
    const auto due = pacer_.due_ns();
    limit = std::min(limit, due > now ? due - now : 0);
  }
  return limit;
}

void worker::wait_and_handle() {
  std::array<epoll_event, 256> events;
  const auto limit = unfinished_.empty() ? wait_limit_ns(state_.clock.now_ns()) : 0;
  const timespec timeout{0, static_cast<long>(limit)};
  const int n = epoll_pwait2(epoll_.get(), events.data(), events.size(), &timeout, nullptr);
  std::vector<std::uint32_t> unfinished;
  unfinished.swap(unfinished_);
  for (int i = 0; i < n; ++i) {
    const auto& e = events[static_cast<std::size_t>(i)];
    handle(connections_[e.data.u32], e.events);
    if (i % 16 != 15)
      continue;
    // A turn over many full sockets takes long: neither the open loop nor the counters may be late.
    tell_counters();
    if (seen_ == phase::publishing)
      publish_due(state_.clock.now_ns());
  }
  for (auto i : unfinished)
    handle(connections_[i], EPOLLIN);
}

void worker::handle(connection& c, std::uint32_t events) {
  // Each change is told only once (EPOLLET): an end that came with data must be read now.
  const bool hung_up = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if (!c.is_alive())
    return;
  if (c.state == connection_state::connecting)
    return finish_connect(c);
  if ((events & EPOLLOUT) != 0)
    flush(c);
  if (c.state == connection_state::handshaking)
    read_handshake(c);
  while (hung_up && c.state == connection_state::handshaking)
    read_handshake(c);
  if (!c.is_alive() || c.state == connection_state::handshaking)
    return;
  if (plan_of(c).stalled) {
    if (hung_up)
      close(c, "1006");
    return;
  }
  auto left = (events & EPOLLIN) != 0 || hung_up ? receive(c) : unread::none;
  while (hung_up && left != unread::none)
    left = receive(c);
  if (left == unread::likely)
    unfinished_.push_back(index_of(c));
}

void worker::watch(connection& c) {
  const bool reads = c.state == connection_state::handshaking || !plan_of(c).stalled;
  epoll_event e{};
  e.events = EPOLLET | EPOLLRDHUP | (reads ? EPOLLIN : 0U) | (c.waits_for_write ? EPOLLOUT : 0U);
  e.data.u32 = index_of(c);
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, c.fd.get(), &e);
}

void worker::flush(connection& c) {
  if (!c.is_alive())
    return;
  const auto status = c.flush();
  if (status == send_status::broken) {
    if (c.state == connection_state::handshaking)
      return fail(c, "broken while sending");
    return close(c, "1006");
  }
  const bool wait = status == send_status::queued;
  if (wait == c.waits_for_write)
    return;
  c.waits_for_write = wait;
  watch(c);
}

void worker::close_all() {
  close_deadline_ns_ = state_.clock.now_ns() + close_wait_ns;
  for (auto& c : connections_) {
    if (!c.is_alive())
      continue;
    const bool can_say_goodbye =
      (c.state == connection_state::open || c.state == connection_state::joining)
      && !plan_of(c).stalled;
    if (!can_say_goodbye) {
      close(c, "1000");
      continue;
    }
    c.state = connection_state::closing;
    append_close(c.out, 1000, random());
    flush(c);
  }
}

void worker::close(connection& c, const std::string& code) {
  if (c.state == connection_state::joining && seen_ != phase::closing)
    return fail(c, "closed with " + code + " before the join");
  c.fd.close();
  c.state = connection_state::closed;
  --alive_;
  if (seen_ == phase::closing)
    return;
  c.was_closed = true;
  if (plan_of(c).stalled) {
    ++findings_.stalled_closes[code];
  } else {
    ++findings_.closes[code];
    ++tally_.closed;
  }
}

void worker::tell_counters() {
  constexpr auto relaxed = std::memory_order_relaxed;
  counters_.last_connected_ns.store(tally_.last_connected_ns, relaxed);
  counters_.connected.store(tally_.connected, relaxed);
  counters_.failed.store(tally_.failed, relaxed);
  counters_.closed.store(tally_.closed, relaxed);
  counters_.publishes.store(tally_.publishes, relaxed);
  counters_.deliveries.store(tally_.deliveries, relaxed);
  counters_.expected.store(tally_.expected, relaxed);
  counters_.bytes.store(tally_.bytes, relaxed);
  counters_.odd.store(tally_.odd, relaxed);
  counters_.unmeasured.store(tally_.unmeasured, relaxed);
}

std::uint32_t worker::random() noexcept {
  random_ ^= random_ << 13, random_ ^= random_ >> 7, random_ ^= random_ << 17; // xorshift64
  return static_cast<std::uint32_t>(random_ >> 32);
}

} // namespace canang::load
