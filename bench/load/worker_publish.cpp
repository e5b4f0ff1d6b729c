#include "bench/load/worker.hpp"

#include <algorithm>

namespace canang::load {

namespace {
constexpr int burst_limit = 256; // messages of a late open loop before reading gets its turn
}

void worker::start_publishing() {
  const auto now = state_.clock.now_ns();
  for (std::size_t i = 0; i < connections_.size(); ++i) {
    auto& c = connections_[i];
    const auto& member = plan_of(c);
    if (member.witness && !opts_.once) // its room's publishers come next, see the plan
      c.witnessing = static_cast<std::int32_t>(publishers_.size());
    if (member.publisher < 0 || (opts_.once && member.publisher > 0))
      continue;
    publisher p;
    p.connection = static_cast<std::uint32_t>(i);
    p.room = member.room;
    p.number = static_cast<std::uint32_t>(member.publisher);
    p.limit = opts_.once ? 1 : payload::sequence_limit - 1;
    // The room's messages in flight, shared out over its publishers.
    p.window =
      opts_.in_flight / opts_.publishers + (p.number < opts_.in_flight % opts_.publishers ? 1 : 0);
    p.progress_ns = now;
    c.publishing = static_cast<std::int32_t>(publishers_.size());
    publishers_.push_back(p);
  }
  if (opts_.rate_per_s > 0 && !publishers_.empty()) {
    const auto all = static_cast<double>(state_.layout.rooms.size()) * state_.layout.publishers;
    const double share = static_cast<double>(publishers_.size()) / all;
    pacer_ = pacer{state_.publish_from_ns.load(std::memory_order_relaxed), opts_.rate_per_s * share,
                   static_cast<double>(index_) / count_};
    return;
  }
  for (auto& p : publishers_) {
    refill(p, state_.clock.now_ns());
    flush(connections_[p.connection]);
  }
}

void worker::publish(publisher& p, std::uint64_t due_ns) {
  auto& c = connections_[p.connection];
  if (c.state != connection_state::open)
    return;
  payload::encode({state_.layout.run, p.room, p.number, p.sent, due_ns}, opts_.size_bytes,
                  payload_);
  if (transparent_) {
    append_frame(c.out, message_opcode_, payload_, random());
  } else {
    state_.language.encode_publish(state_.layout.rooms[p.room].name, payload_, message_);
    append_frame(c.out, message_opcode_, message_, random());
  }
  ++p.sent;
  state_.sent[p.room * state_.layout.publishers + p.number] = p.sent;
  ++tally_.publishes;
  tally_.expected += state_.layout.rooms[p.room].readers;
}

void worker::publish_due(std::uint64_t now) {
  if (!pacer_.is_active())
    return;
  for (int i = 0; i < burst_limit && pacer_.due_ns() <= now; ++i) {
    auto& p = publishers_[pacer_.next() % publishers_.size()];
    auto& c = connections_[p.connection];
    // The timetable waits for a publisher that the server does not read; its latency does not.
    if (c.is_alive() && c.is_congested())
      break;
    if (p.sent < p.limit)
      publish(p, pacer_.due_ns());
    pacer_.advance();
    if (dirty_.empty() || dirty_.back() != p.connection)
      dirty_.push_back(p.connection);
  }
  for (auto i : dirty_) {
    auto& c = connections_[i];
    if (c.is_alive() && !c.out.empty() && !c.waits_for_write)
      flush(c);
  }
  dirty_.clear();
}

void worker::on_back(publisher& p, std::string_view payload, std::uint64_t now) {
  p.echoed = std::max(p.echoed, std::min(p.sent, payload::sequence_of(payload.data()) + 1));
  p.progress_ns = now;
}

void worker::refill_witnessed(const connection& witness, std::uint64_t now) {
  for (std::uint32_t i = 0; i < opts_.publishers; ++i) {
    auto& p = publishers_[static_cast<std::size_t>(witness.witnessing) + i];
    refill(p, now);
    auto& c = connections_[p.connection];
    if (c.is_alive() && !c.out.empty() && !c.waits_for_write)
      flush(c);
  }
}

void worker::refill(publisher& p, std::uint64_t now) {
  if (seen_ != phase::publishing || pacer_.is_active())
    return;
  const auto& c = connections_[p.connection];
  while (c.state == connection_state::open && p.may_send())
    publish(p, now);
}

void worker::give_up_overdue(std::uint64_t now) {
  if (seen_ != phase::publishing || pacer_.is_active())
    return;
  const auto timeout_ns = static_cast<std::uint64_t>(opts_.echo_timeout.count()) * 1'000'000;
  for (auto& p : publishers_) {
    if (p.sent == p.echoed || p.sent == p.limit || now - p.progress_ns < timeout_ns)
      continue;
    findings_.given_up += p.sent - p.echoed;
    p.echoed = p.sent;
    p.progress_ns = now;
    refill(p, now);
    auto& c = connections_[p.connection];
    if (c.is_alive() && !c.out.empty() && !c.waits_for_write)
      flush(c);
  }
}

} // namespace canang::load
