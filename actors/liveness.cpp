#include "actors/liveness.hpp"

#include <algorithm>

namespace canang::actors {

void beat::on_deadline(net::timing_wheel::clock::time_point now) {
  owner_->look_at(*this, now);
}

liveness::liveness(const liveness_options& options, clock::time_point now, std::uint32_t seed)
  : options_(options), wheel_(now), random_(seed) {}

void liveness::watch(beat& item, net::session& session, clock::time_point now) {
  item.owner_ = this;
  item.session_ = &session;
  item.awaits_pong_ = false;
  const auto interval_ms = options_.ping_interval.count();
  std::uniform_int_distribution<std::int64_t> phase{interval_ms / 2, interval_ms};
  wheel_.schedule(item, now + std::chrono::milliseconds{phase(random_)});
}

void liveness::look_at(beat& item, clock::time_point now) {
  auto& session = *item.session_;
  if (!session.is_open())
    return;
  const auto heard = session.last_heard();
  if (item.awaits_pong_ && heard < item.pinged_at_) {
    if (now >= item.pinged_at_ + options_.pong_timeout)
      session.abort(net::close_reason::ping_timeout);
    else
      wheel_.schedule(item, item.pinged_at_ + options_.pong_timeout);
    return;
  }
  item.awaits_pong_ = false;
  // only a connection's first look comes before a whole interval of silence; its ping sets the phase
  if (now - heard < options_.ping_interval / 2) {
    wheel_.schedule(item, heard + options_.ping_interval);
    return;
  }
  session.ping();
  item.awaits_pong_ = true;
  item.pinged_at_ = now;
  wheel_.schedule(item, now + std::min(options_.pong_timeout, options_.ping_interval));
}

} // namespace canang::actors
