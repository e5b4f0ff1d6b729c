#include "bench/load/handshake.hpp"
#include "bench/load/worker.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace canang::load {

namespace {

// Connections between connect() and the end of the handshake, all threads: enough to keep any
// server busy, few enough for the smallest usual listen backlog (128).
constexpr std::uint32_t starting_limit = 100;

std::string describe(int error) { return std::strerror(error); }

} // namespace

void worker::start_due_connections(std::uint64_t now) {
  std::size_t due = connections_.size();
  if (opts_.ramp_up_per_s > 0) {
    const double share = opts_.ramp_up_per_s / count_;
    due = std::min(due, static_cast<std::size_t>(static_cast<double>(now) / 1e9 * share) + 1);
  }
  const auto limit = std::max(1U, starting_limit / count_);
  while (next_to_start_ < due && starting_ < limit && tally_.failed == 0)
    start(connections_[next_to_start_++], now);
}

void worker::start(connection& c, std::uint64_t now) {
  const auto& layout = state_.layout;
  const endpoint* source =
    layout.sources.empty() ? nullptr : &layout.sources[c.member % layout.sources.size()];
  c.started_ns = now;
  c.state = connection_state::connecting;
  ++starting_;
  ++alive_;
  c.fd =
    start_connect(layout.servers[plan_of(c).server].address, source, opts_.receive_buffer_bytes);
  if (!c.fd)
    return fail(c, describe(errno));
  epoll_event e{};
  e.events = EPOLLOUT;
  e.data.u32 = index_of(c);
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, c.fd.get(), &e) != 0)
    return fail(c, describe(errno));
  started_.push_back(index_of(c));
}

void worker::finish_connect(connection& c) {
  const int error = connect_error(c.fd.get());
  if (error != 0)
    return fail(c, describe(error));
  const auto& server = state_.layout.servers[plan_of(c).server];
  const auto target = state_.language.handshake_target(server.path, server.query, room_of(c).name);
  const auto high = std::uint64_t{random()} << 32 | random();
  const auto low = std::uint64_t{random()} << 32 | random();
  c.key = handshake::make_key(high, low);
  c.out = handshake::request(server.authority, target, c.key, state_.language.subprotocol());
  c.state = connection_state::handshaking;
  c.waits_for_write = true; // so that flush() turns EPOLLOUT off
  flush(c);
}

void worker::read_handshake(connection& c) {
  const auto kept = c.reader.restore(buffer_.data());
  const auto n = ::recv(c.fd.get(), buffer_.data() + kept, buffer_.size() - kept, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (n < 0)
    return fail(c, describe(errno));
  if (n == 0)
    return fail(c, "closed during the handshake");
  const std::string_view bytes{buffer_.data(), kept + static_cast<std::size_t>(n)};
  const auto answer = handshake::read_answer(bytes, c.key);
  if (!answer)
    return c.reader.keep(bytes);
  if (!answer->error.empty())
    return fail(c, answer->error);
  on_upgraded(c, state_.clock.now_ns(), bytes.substr(answer->size));
}

void worker::on_upgraded(connection& c, std::uint64_t now, std::string_view rest) {
  std::string{}.swap(c.key);
  c.reader.keep({});
  c.state = connection_state::joining;
  if (plan_of(c).stalled)
    watch(c);
  const auto first = transparent_ ? std::string{} : state_.language.opening(room_of(c).name);
  if (!first.empty()) {
    append_frame(c.out, message_opcode_, first, random());
    flush(c);
  }
  if (transparent_ || plan_of(c).stalled)
    on_joined(c, now);
  if (rest.empty() || !c.is_alive() || plan_of(c).stalled)
    return;
  std::memmove(buffer_.data(), rest.data(), rest.size());
  take_bytes(c, rest.size(), now);
}

void worker::on_joined(connection& c, std::uint64_t now) {
  if (c.state != connection_state::joining)
    return;
  c.state = connection_state::open;
  --starting_;
  ++tally_.connected;
  tally_.last_connected_ns = now;
  findings_.connect_latency.record(now - c.started_ns);
}

void worker::fail(connection& c, const std::string& why) {
  c.fd.close();
  c.state = connection_state::closed;
  --starting_;
  --alive_;
  ++tally_.failed;
  ++findings_.connect_errors[why];
}

void worker::fail_overdue(std::uint64_t now) {
  const auto timeout_ns = static_cast<std::uint64_t>(opts_.connect_timeout.count()) * 1'000'000;
  while (!started_.empty()) {
    auto& c = connections_[started_.front()];
    const bool is_starting = c.state == connection_state::connecting
                             || c.state == connection_state::handshaking
                             || c.state == connection_state::joining;
    if (is_starting && now - c.started_ns < timeout_ns)
      return;
    if (is_starting)
      fail(c, "timed out");
    started_.pop_front();
  }
}

} // namespace canang::load
