#include "actors/liveness.hpp"

#include <algorithm>
#include <utility>

namespace canang::actors {

void beat::on_deadline(net::timing_wheel::clock::time_point now) { owner_->look_at(*this, now); }

liveness::liveness(const liveness_options& options, clock::time_point now, std::uint32_t seed)
  : options_(options), wheel_(now), random_(seed) {}

void liveness::watch(beat& item, net::session& session, clock::time_point now) {
  item.owner_ = this;
  item.session_ = &session;
  item.awaits_pong_ = false;
  item.is_first_look_ = true;
  item.pinged_at_ = now; // nothing heard before counts
  std::uniform_int_distribution<std::int64_t> phase{1, options_.ping_interval.count()};
  wheel_.schedule(item, now + std::chrono::milliseconds{phase(random_)});
}

void liveness::look_at(beat& item, clock::time_point now) {
  auto& session = *item.session_;
  const auto heard = session.last_heard();
  if (!session.is_open()) { // its join is on the way, or lost, or it is closing
    if (now - heard >= options_.ping_interval)
      session.abort(net::close_reason::handler_error);
    else
      wheel_.schedule(item, heard + options_.ping_interval);
    return;
  }
  if (item.awaits_pong_ && heard < item.pinged_at_) {
    if (now >= item.pinged_at_ + options_.pong_timeout)
      session.abort(net::close_reason::ping_timeout);
    else
      wheel_.schedule(
        item, std::min(item.pinged_at_ + options_.pong_timeout, now + options_.ping_interval));
    return;
  }
  item.awaits_pong_ = false;
  const bool sets_phase = std::exchange(item.is_first_look_, false)
                          && (session.expects_pings() || heard <= item.pinged_at_);
  const auto since = session.expects_pings() ? item.pinged_at_ : heard;
  if (!sets_phase && now - since < options_.ping_interval) {
    wheel_.schedule(item, since + options_.ping_interval);
    return;
  }
  session.ping();
  item.awaits_pong_ = true;
  item.pinged_at_ = now;
  wheel_.schedule(item, now + std::min(options_.pong_timeout, options_.ping_interval));
}

} // namespace canang::actors
